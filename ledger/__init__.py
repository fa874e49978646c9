"""Quanze: an audit ledger that stands beside a data exchange and can be checked by those who do not trust it.

The layers, and who may import whom, are held by import-linter (see ``pyproject.toml``). What is public is
re-exported here on purpose; everything else may change.
"""

from importlib.metadata import version as _installed_version
from typing import Final

from ledger.recursion import keep_recursion_limit

__all__ = ["__version__"]

keep_recursion_limit()

__version__: Final[str] = _installed_version("quanze")
