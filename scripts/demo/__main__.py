"""Play the story; exit 0 if every step came out as told."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from typing import Final

from rich.console import Console
from rich.text import Text

from ledger.domain.errors import LedgerError
from scripts.demo.stage import ROOT, Stage, StepError
from scripts.demo.story import CHAPTERS, prepare

_FOLDER: Final = ROOT / "build" / "demo"
_LONG_HASH: Final = re.compile("((?:0x)?[0-9a-f]{12})[0-9a-f]{28,}")


def main() -> int:
    """Play the story and return the exit code."""
    out = Console(highlight=False, soft_wrap=True, emoji=False)
    began = time.monotonic()
    folder = os.environ.get("QUANZE_DEMO_FOLDER")
    stage = Stage(type(_FOLDER)(folder) if folder else _FOLDER)
    out.print(Text("Quanze: from a signed agreement to an answer that anyone can check", style="bold"))
    out.print(
        Text(
            "DEMONSTRATION: every key is generated here; none of the bodies named has signed anything.", style="yellow"
        )
    )
    failed = 0
    try:
        _tell(out, 1, "A home: keys, chain, contracts, log", prepare(stage), time.monotonic() - began)
        with stage.service():
            for number, (title, chapter) in enumerate(CHAPTERS, start=2):
                start = time.monotonic()
                try:
                    _tell(out, number, title, chapter(stage), time.monotonic() - start)
                except (StepError, LedgerError, LookupError) as error:
                    failed += 1
                    out.print(Text(f"\n{number}. {title}: FAILED\n   {error}", style="bold red"))
            out.print(f"\nall of it in {time.monotonic() - began:.1f} s")
            out.print(Text(f"explorer: {stage.address}   files: {stage.folder}", style="bold"))
            if failed:
                out.print(Text(f"{failed} steps failed. To begin anew, remove {stage.folder}.", style="bold red"))
            elif not os.environ.get("CI"):
                out.print("up until Ctrl-C")
                _wait()
    except StepError as error:
        out.print(Text(f"FAILED: {error}", style="bold red"))
        return 1
    return 1 if failed else 0


def _tell(out: Console, number: int, title: str, lines: list[str], seconds: float) -> None:
    out.print(Text(f"\n{number}. {title}", style="bold").append(f"   {seconds:.1f} s", style="dim"))
    for line in lines:
        out.print(Text(f"   {_LONG_HASH.sub(lambda found: found[1] + '…', line)}"))


def _wait() -> None:
    """Return at Ctrl-C, or when told to end; a shell may have started this with Ctrl-C ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("\n")


if __name__ == "__main__":
    sys.exit(main())
