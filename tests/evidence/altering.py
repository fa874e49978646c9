"""Altering evidence files, and saying what became of a verification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ledger.domain import canonical
from ledger.evidence import Status, verify

if TYPE_CHECKING:
    from collections.abc import Callable

_HEX = "0123456789abcdef"


def flipped(data: bytes, place: int) -> bytes:
    """Return the bytes with one of them altered into another of its kind, where it has one."""
    byte = data[place]
    other = ord(_HEX[(_HEX.index(chr(byte)) + 1) % 16]) if chr(byte) in _HEX else byte ^ 1
    return data[:place] + bytes((other,)) + data[place + 1 :]


def altered(data: bytes, change: Callable[[Any], object]) -> bytes:
    """Return the file with its value changed, canonical again."""
    value: Any = json.loads(data)
    changed = change(value)
    return canonical.encode(value if changed is None else changed)


def failure(evidence: bytes, root: bytes) -> tuple[int, str]:
    """Return number and reason of the step that refused; (-1, "") if the evidence holds."""
    report = verify(evidence, root)
    if report.failed is None:
        assert report.holds
        return -1, ""
    assert not report.holds
    assert report.assurance == "NONE"
    assert all(step.status is Status.NOT_REACHED for step in report.steps[report.failed.number + 1 :])
    return report.failed.number, report.failed.reason


def statuses(evidence: bytes, root: bytes) -> str:
    """Return one letter a step: P passed, F failed, N not applicable, - not reached."""
    letters = {Status.PASSED: "P", Status.FAILED: "F", Status.NOT_APPLICABLE: "N", Status.NOT_REACHED: "-"}
    return "".join(letters[step.status] for step in verify(evidence, root).steps)
