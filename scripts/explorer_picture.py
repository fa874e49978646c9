"""Take the picture of the explorer that the README shows, from a ledger that is up.

    python -m scripts.explorer_picture http://127.0.0.1:8430/     # what `make demo` or `quanze up` serves

It needs Chromium, and a font with Chinese signs for the Chinese names (``scripts/system_packages.sh picture``).
"""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

PICTURE: Final = Path(__file__).resolve().parent.parent / "docs" / "explorer.png"
_WIDTH, _HEIGHT = 1280, 1000
_BYTES_MAX: Final = 300_000
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def main(arguments: list[str] | None = None) -> int:
    """Take the picture; return the exit code."""
    parser = ArgumentParser(prog="python -m scripts.explorer_picture", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("address", help="where the explorer is, as http://127.0.0.1:8430/")
    parser.add_argument("--path", default="?lang=en", help="the page, from the address on")
    options = parser.parse_args(arguments)
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        print("Chromium is missing. On Debian: apt-get install chromium", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = started.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
        page.goto(options.address.rstrip("/") + "/" + options.path)
        page.screenshot(path=PICTURE)
        started.close()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.name}: {size} bytes")
    return 0 if size < _BYTES_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
