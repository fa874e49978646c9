"""A small ledger made of nothing but keys and hashes, and the evidence files that are vectors made of it."""
