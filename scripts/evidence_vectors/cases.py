"""A folder of vectors: files by name, and the index that says of each what a verifier must find.

``index.json`` has for each case the letters of its steps 0 to 8 (P passed, F failed, N not applicable, - not reached),
and for a bad one the step that fails. Reasons are our verifier's and bind nobody. A case may alter its file first: by
a ``patch`` of its value, whose bytes are then the canonical ones, or by a ``text``, which puts other characters in the
place of the first that are the same as given.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import canonical
from ledger.evidence import Status, verify
from scripts.evidence_vectors.patches import Patch, apply

if TYPE_CHECKING:
    from collections.abc import Mapping

_LETTERS: Final = {Status.PASSED: "P", Status.FAILED: "F", Status.NOT_APPLICABLE: "N", Status.NOT_REACHED: "-"}


class Vectors:
    """Files by name, and what the index says of each case."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cases: list[dict[str, Any]] = []

    def keep(self, name: str, content: bytes) -> str:
        """Keep a file, and return its name: that of one with the same bytes, if there is one."""
        known = next((other for other, held in self.files.items() if held == content), None)
        if known is None:
            self.files[name] = content
        return known or name

    def value(self, name: str) -> Any:
        """Return what a file says."""
        return json.loads(self.files[name])

    def case(
        self, title: str, file: str, root: str, patch: Patch | None = None, text: tuple[str, str] | None = None
    ) -> None:
        """Add a case, with what our verifier finds."""
        case: dict[str, Any] = {"title": title, "file": file, "trust_root": root}
        changes: dict[str, Any] = {"patch": patch} if patch else {}
        if text is not None:
            changes["text"] = list(text)
        report = verify(content_of({**case, **changes}, self.files[file]), self.files[root])
        case |= {"steps": "".join(_LETTERS[step.status] for step in report.steps), "assurance": report.assurance}
        case |= changes
        if (failed := report.failed) is not None:
            case |= {"fails_at": failed.number, "reason": failed.reason}
        self.cases.append(case)

    def folder(self, path: str) -> Mapping[str, str]:
        """Return every file of the folder by its path."""
        index = json.dumps(self.cases, indent=1, ensure_ascii=False) + "\n"
        made = {f"{path}/{name}": content.decode() for name, content in sorted(self.files.items())}
        return made | {f"{path}/index.json": index}


def content_of(case: Mapping[str, Any], file: bytes) -> bytes:
    """Return the bytes that a case is about: its file, altered as the case says.

    Raises:
        ValueError: The file lacks the text that is to be replaced.
    """
    if "patch" in case:
        file = canonical.encode(apply(json.loads(file), case["patch"]))
    if "text" in case:
        found, put = (part.encode() for part in case["text"])
        if found not in file:
            raise ValueError(f"{case['file']} holds no {case['text'][0]!r}")
        file = file.replace(found, put, 1)
    return file
