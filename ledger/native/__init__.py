"""Compiled code for what costs most of taking events in: reading a batch's lines, and making leaves and receipts.

The sources are Zig, compiled for the machine by `scripts.build_native` (``make setup``) with bounds and overflows
checked. Where there is no library for these sources and this processor, the same work is done in Python; both answer
the same, and pass the same tests.
"""
