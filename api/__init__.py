"""The HTTP interface: routes parse, call one use-case, and return."""

from ledger import __version__

__all__ = ["__version__"]
