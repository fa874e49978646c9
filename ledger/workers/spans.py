"""``python -m ledger.workers.spans FOLDER``: answers each span's number on a line with the root over it.

The answer is the root in hexadecimal, or ``-`` where a file of the span is missing or differs. It ends with its input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.log.client import hash_bundle, span_root
from ledger.log.storage.files import FolderFetcher
from ledger.native.library import library
from ledger.native.tiles import NativeTiles


def main() -> None:
    """Answer for each span that is asked about."""
    fetcher = FolderFetcher(Path(sys.argv[1]))
    loaded = library()
    hashed = hash_bundle if loaded is None else NativeTiles(loaded).hash_bundle
    for line in sys.stdin:
        value = span_root(fetcher, int(line), hashed)
        sys.stdout.write(f"{'-' if value is None else value.hex()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
