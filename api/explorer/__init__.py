"""The explorer: public, read-only, server-rendered pages in Simplified Chinese and English."""
