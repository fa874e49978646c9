"""The compiled library, or a loud word that what compares it did not run."""

from __future__ import annotations

import ctypes
import os

import pytest

from ledger.native.library import library


def compiled() -> ctypes.CDLL:
    """Return the library. Where CI is set it must be there."""
    loaded = library()
    if loaded is None:
        assert not os.environ.get("CI") or os.environ.get("QUANZE_NATIVE"), "run `make setup`: nothing is compiled here"
        pytest.skip("NOT RUN: nothing is compiled here (see `make setup`), so there is nothing to compare Python with")
    return loaded
