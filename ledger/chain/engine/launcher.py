"""Become another program that dies with its parent: ``python -I -S launcher.py PARENT_PID PROGRAM [ARGUMENT...]``.

Linux sends the signal asked for by PR_SET_PDEATHSIG when the *thread* that made this process ends, so the one who
starts it must be a thread that lives as long as the node is wanted. The request survives ``exec``. It is made here and
not in ``preexec_fn``, which may not be used where other threads run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Ask for the signal, make sure that the parent is still there, and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        sys.exit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        sys.exit("the parent is gone already")
    os.execv(program, sys.argv[2:])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
