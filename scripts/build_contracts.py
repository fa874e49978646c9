"""Build the contracts' artifacts with Hardhat and with py-solc-x, or check the committed ones.

python -m scripts.build_contracts            # write contracts/artifacts
python -m scripts.build_contracts --check    # exit 1 if a rebuild differs, or the two drivers disagree
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from scripts.contracts.compilers import BuildError
from scripts.generate import ROOT, stale, write
from scripts.generators.contract_error_reference import contract_files


def main(arguments: list[str] | None = None) -> int:
    """Build; return the exit code."""
    parser = ArgumentParser(prog="python -m scripts.build_contracts", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if an artifact is not fresh")
    options = parser.parse_args(arguments)
    try:
        wanted = contract_files()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    paths = stale(ROOT, wanted)
    if not options.check:
        write(ROOT, wanted, paths)
    for path in paths:
        print(f"stale: {path}" if options.check else f"wrote {path}")
    print(f"{len(wanted)} files of contracts on which Hardhat and py-solc-x agree; {len(paths)} differed")
    return 1 if options.check and paths else 0


if __name__ == "__main__":
    sys.exit(main())
