"""Build, check, bench and sample scripts; not part of the installed package."""
