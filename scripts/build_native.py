"""Compile `ledger.native` for this machine, where it is not compiled yet: ``python -m scripts.build_native``.

The compiler is the package `ziglang`, which brings all that it needs; nothing of the system's is used. Where it cannot
compile for this machine that is said, and the ledger does the same work in Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ledger.native.library import FOLDER, path

_OPTIONS = ("-dynamic", "-O", "ReleaseSafe", "-mcpu=native", "-fstrip", "--name", "quanze")
_MAIN = FOLDER / "quanze.zig"

_TRIAL = """
import ctypes, hashlib, sys
loaded = ctypes.CDLL(sys.argv[1])
hashes, root = ctypes.create_string_buffer(bytes(64), 64), ctypes.create_string_buffer(32)
loaded.qz_root(hashes, ctypes.c_size_t(2), root)
sys.exit(root.raw != hashlib.sha256(bytes([1]) + bytes(64)).digest())
"""


def main() -> None:
    """Compile unless the library is there; remove those for other sources."""
    wanted = path()
    if not wanted.exists():
        with tempfile.TemporaryDirectory(prefix=".build-", dir=FOLDER) as aside:
            made = Path(aside) / "libquanze.so"
            cache = str(Path("build/zig-cache").resolve())
            done = subprocess.run(
                [sys.executable, "-m", "ziglang", "build-lib", *_OPTIONS, f"-femit-bin={made}", str(_MAIN)],
                check=False,
                capture_output=True,
                text=True,
                env={**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache},
            )  # fmt: skip
            if done.returncode:
                reason = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
                print(f"Compiled code is not used: the compiler failed here ({reason}). Python does the same work.")
                return
            # A processor may refuse what was compiled for it: that is found out here, by a process that may die of it.
            tried = subprocess.run([sys.executable, "-c", _TRIAL, str(made)], check=False, capture_output=True)
            if tried.returncode:
                print("Compiled code is not used: it does not run here. Python does the same work.")
                return
            made.replace(wanted)
    for old in FOLDER.glob("libquanze-*.so"):
        if old != wanted:
            old.unlink()


if __name__ == "__main__":
    main()
