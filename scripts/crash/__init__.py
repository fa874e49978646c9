"""Provoked crashes: faults at every system call that a log's writer makes, and power cuts between any two of them."""
