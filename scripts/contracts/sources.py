"""The contracts' sources, and what they import, as the compiler's standard input takes them."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_IMPORT: Final = re.compile(r'^import\s+(?:[^;]*?\bfrom\s+)?"([^"]+)"\s*;', re.MULTILINE)
_PACKAGES: Final = "node_modules"


def source_closure(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Return source name → text of the named sources and of all that they import.

    A source's name is its path from the project's root, or the import path of a package's file.

    Raises:
        FileNotFoundError: A source, or what it imports, is missing.
    """
    found: dict[str, str] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = root / _PACKAGES / name if name.startswith("@") else root / name
        text = found[name] = path.read_text(encoding="utf-8")
        waiting += [_resolve(name, imported) for imported in _IMPORT.findall(text)]
    return dict(sorted(found.items()))


def _resolve(importer: str, imported: str) -> str:
    if not imported.startswith("."):
        return imported
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported))
