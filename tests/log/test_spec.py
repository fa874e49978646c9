"""The example in docs/spec/log.md is what the code writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ledger.log.tree import leaf_hash, node_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.log.note import Ed25519Signer
    from ledger.log.storage import FolderLog

ENTRIES = [b"one", b"two", b"three"]


def test_example_of_the_specification_is_what_the_log_writes(
    root: Path, open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    specification = (root / "docs" / "spec" / "log.md").read_text(encoding="utf-8")
    hashes, vkey, bundle, checkpoint = re.findall(r"```text\n(.*?)```", specification, re.DOTALL)
    log = open_log()
    log.append(ENTRIES)
    log.publish_checkpoint()
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    computed = [*leaves, node_hash(leaves[0], leaves[1]), log.root()]
    assert [line.split()[-1] for line in hashes.splitlines()] == [value.hex() for value in computed]
    assert vkey.strip() == signer.vkey
    assert (folder / "tile" / "0" / "000.p" / "3").read_bytes() == b"".join(leaves)
    assert (folder / "tile" / "entries" / "000.p" / "3").read_bytes().hex() == bundle.strip()
    assert (folder / "checkpoint").read_text(encoding="utf-8") == checkpoint
