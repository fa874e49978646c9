"""Fixtures that attacks share with the tests of what they attack."""

from __future__ import annotations

from tests.evidence.conftest import made

__all__ = ["made"]
