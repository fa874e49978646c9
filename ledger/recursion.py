"""Keep Python's own bound on recursion, which protects us from deeply nested input.

``py_ecc``, which ``eth-account`` brings along, raises the process's recursion limit to 100,000 when it is imported.
JSON parsers written in C then follow a hostile ``[[[[…`` until the stack is full, and the process dies of a
segmentation fault where it should have refused the input. So that module is imported here first, once, and the limit
is set back; whoever imports it later finds it loaded.
"""

import importlib
import sys
from contextlib import suppress
from typing import Final

__all__ = ["keep_recursion_limit"]

_DEFAULT: Final = 1000
"""Python's own limit, for when the module was loaded before us and the earlier limit is not known."""


def keep_recursion_limit() -> None:
    """Load the module that raises the limit, and set the limit back."""
    limit = _DEFAULT if "py_ecc" in sys.modules else sys.getrecursionlimit()
    with suppress(ImportError):
        importlib.import_module("py_ecc")
    sys.setrecursionlimit(limit)
