"""What an input file's rejected records or lines are kept as: all are counted, the first ones listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rejections:
    """Rejections in the order in which they came. A file of any length fills no memory with them."""

    KEPT: ClassVar[int] = 10_000
    SHOWN: ClassVar[int] = 50

    def __init__(self) -> None:
        self.total = 0
        self._kept: list[dict[str, Any]] = []

    def add(self, rejected: Sequence[dict[str, Any]]) -> None:
        """Count some more, and keep them while there is room."""
        self.total += len(rejected)
        self._kept += rejected[: max(0, self.KEPT - len(self._kept))]

    def result(self) -> dict[str, Any]:
        """Return them as the members of a result."""
        return {"rejected": self._kept, "rejected_total": self.total}
