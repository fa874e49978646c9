"""The reference of the contracts' errors, from their ABIs and the notice above each declaration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scripts.generators.contract_artifacts import contract_artifacts

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT: Final = Path(__file__).resolve().parents[2]
_DECLARATION: Final = re.compile(r"((?:^[ ]*///[^\n]*\n)+)^[ ]*error (\w+)\(", re.MULTILINE)
_LIBRARY: Final = {
    "AccessManagedInvalidAuthority": "The new authority has no code.",
    "AccessManagedRequiredDelay": "The caller may call only after a delay, and has not scheduled the call.",
    "AccessManagedUnauthorized": "The caller holds no role that may call this function.",
    "InvalidAccountNonce": "The nonce was used, or is not the next one of its key.",
    "InvalidShortString": "A name of the EIP-712 domain does not fit; never after deployment.",
    "StringTooLong": "A name of the EIP-712 domain does not fit; never after deployment.",
}
"""What OpenZeppelin's errors mean here."""

_HEAD: Final = """# Errors of the contracts

Made by `make generate` from the contracts. A refusal carries the error's name and its values, on the command line and
in the API's problem document. Nothing was changed by a refused call.

| Error | Of | Meaning |
|---|---|---|
"""


def contract_files() -> dict[str, str]:
    """Return the artifacts, and the reference of the errors that they declare, by path. Raises as the two."""
    artifacts = contract_artifacts()
    return artifacts | contract_error_reference(artifacts)


def contract_error_reference(artifacts: Mapping[str, str]) -> dict[str, str]:
    """Return the reference by path.

    Args:
        artifacts: The contracts' artifacts by path.

    Raises:
        ValueError: An error of a contract says nowhere what it means.
    """
    notices = dict(_LIBRARY)
    for path in sorted((_ROOT / "contracts").rglob("*.sol")):
        for comment, name in _DECLARATION.findall(path.read_text(encoding="utf-8")):
            notices[name] = _sentence(comment)
    declared: dict[str, set[str]] = {}
    for text in artifacts.values():
        artifact = json.loads(text)
        for item in artifact["abi"] if artifact["source"].startswith("contracts/") else ():
            if item["type"] == "error":
                values = ", ".join(f"{field['type']} {field['name']}".strip() for field in item["inputs"])
                declared.setdefault(f"{item['name']}({values})", set()).add(artifact["contract"])
    if missing := sorted(error for error in declared if error.partition("(")[0] not in notices):
        raise ValueError("no notice stands above " + ", ".join(missing))
    rows = [
        f"| `{error}` | {', '.join(sorted(contracts))} | {notices[error.partition('(')[0]]} |"
        for error, contracts in sorted(declared.items())
    ]
    return {"docs/reference/contract-errors.md": _HEAD + "\n".join(rows) + "\n"}


def _sentence(comment: str) -> str:
    """Return what a comment tells everybody: its text from ``@notice`` to the next tag."""
    lines = [line.strip().removeprefix("///").strip() for line in comment.strip().splitlines()]
    words: list[str] = []
    for line in lines:
        if line.startswith("@notice"):
            words = [line.removeprefix("@notice").strip()]
        elif line.startswith("@"):
            break
        else:
            words.append(line)
    return " ".join(words).replace("|", "\\|")
