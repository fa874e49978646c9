"""The one way in which the benches cut measured times."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def quantile(times: Sequence[float], share: float) -> float:
    """Return the measured value that so large a share of the others is below; ``share`` 1 is the largest."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
