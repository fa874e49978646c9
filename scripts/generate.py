"""Make the files that are generated from code, or check that they are fresh.

    python -m scripts.generate            # write what differs
    python -m scripts.generate --check    # name what differs, and exit 1

A generator is a function that returns texts by path (from the project's root). To add one, write it in a module of
its own under ``scripts/generators`` and name it in ``GENERATORS``; it must give the same text on every machine.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.evidence_vectors.batch import batch_vectors
from scripts.evidence_vectors.build import evidence_vectors
from scripts.generators.cli_reference import cli_reference
from scripts.generators.contract_error_reference import contract_files
from scripts.generators.domain_spec import domain_spec
from scripts.generators.error_reference import error_reference
from scripts.generators.evidence_spec import evidence_spec
from scripts.generators.explorer_assets import explorer_assets
from scripts.generators.openapi import openapi
from scripts.generators.settings_reference import settings_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent

GENERATORS: Final[tuple[Callable[[], Mapping[str, str]], ...]] = (
    domain_spec,
    error_reference,
    evidence_vectors,
    batch_vectors,
    evidence_spec,
    cli_reference,
    settings_reference,
    contract_files,
    explorer_assets,
    openapi,
)


def stale(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """Return the paths whose file is missing or differs from what is wanted."""
    return [
        path
        for path, text in sorted(wanted.items())
        if not (root / path).is_file() or (root / path).read_bytes() != text.encode()
    ]


def write(root: Path, wanted: Mapping[str, str], paths: list[str]) -> None:
    """Write some of the wanted files."""
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wanted[path].encode())


def main(arguments: list[str] | None = None) -> int:
    """Run all generators; return the exit code."""
    parser = ArgumentParser(prog="python -m scripts.generate", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not fresh")
    options = parser.parse_args(arguments)
    wanted: dict[str, str] = {}
    for generator in GENERATORS:
        wanted.update(generator())
    paths = stale(ROOT, wanted)
    if not options.check:
        write(ROOT, wanted, paths)
    for path in paths:
        print(f"stale: {path} (run `make generate`)" if options.check else f"wrote {path}")
    print(f"{len(wanted)} generated files, {len(paths)} {'stale' if options.check else 'written'}")
    return 1 if options.check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
