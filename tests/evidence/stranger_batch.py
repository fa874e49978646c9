"""A file of many events taken apart as a stranger might: from docs/spec/evidence-batch-v1.md, with none of our code.

``apart`` gives a file of each event alone. Whoever can verify those has verified the file of many.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import rfc8785

_BOUND = {
    "block", "block_hash", "bound_agreement", "bound_grant", "bound_version", "duty", "flags", "responsible_post",
    "verdict",
}  # fmt: skip


def apart(evidence: bytes) -> list[bytes]:
    """Return the file of each event, for files whose events all need the same blocks and histories."""
    file: Any = json.loads(evidence)
    assert rfc8785.dumps(file) == evidence
    held = [(part, entry) for part in file["checkpoints"] for entry in part["entries"]]
    signed: list[dict[int, bytes]] = [{} for _ in file["batches"]]
    for _, entry in held:
        signed[entry["batch"]][entry["place"]] = leaf_hash(rfc8785.dumps(event_of(entry)))
    in_batch = [
        paths(known, batch["count"], batch["path"]) for known, batch in zip(signed, file["batches"], strict=True)
    ]
    made = []
    for part, entry in held:
        hashes = {one["index"]: leaf_hash(rfc8785.dumps(one["leaf"])) for one in part["entries"]}
        size = int(part["checkpoint"].split("\n")[1])
        batch = {**file["batches"][entry["batch"]], "place": entry["place"]}
        batch["path"] = in_batch[entry["batch"]][entry["place"]]
        alone = {
            "anchor": part["anchor"], "batch": batch, "checkpoint": part["checkpoint"], "groups": entry["groups"],
            "index": entry["index"], "leaf": entry["leaf"], "path": paths(hashes, size, part["path"])[entry["index"]],
            "stream_salt": file["streams"][entry["leaf"]["stream"]],
        }  # fmt: skip
        made.append(
            rfc8785.dumps(
                {
                    "answer": None, "blocks": file["blocks"], "documents": [], "entry": alone,
                    "format": "quanze-evidence-v1", "histories": file["histories"], "kind": "event",
                    "state": file["state"], "subject": {},
                }
            )
        )  # fmt: skip
    return made


def paths(leaves: dict[int, bytes], size: int, proof: list[str]) -> dict[int, list[str]]:
    """Return each leaf's audit path, nearest sibling first, level by level from the leaves up.

    The tree is filled with what is known and given: the given hashes go, left to right, to the largest subtrees
    without a leaf of ours.
    """
    known: dict[tuple[int, int], bytes] = {}
    given = [bytes.fromhex(node) for node in proof]

    def fill(begin: int, end: int) -> bytes:
        if not any(begin <= index < end for index in leaves):
            known[begin, end] = given.pop(0)
        elif end - begin == 1:
            known[begin, end] = leaves[begin]
        else:
            half = 1
            while half * 2 < end - begin:
                half *= 2
            left, right = fill(begin, begin + half), fill(begin + half, end)
            known[begin, end] = sha256(b"\1" + left + right).digest()
        return known[begin, end]

    fill(0, size)
    assert not given
    return {
        index: [
            known[other].hex()
            for begin, end in sorted((span for span in known if span[0] <= index < span[1]), key=lambda s: s[1] - s[0])
            for other in known
            if (other[1] == begin and (other[0], end) in known and on_way(known, other, (begin, end)))
            or (other[0] == end and (begin, other[1]) in known and on_way(known, (begin, end), other))
        ]
        for index in leaves
    }


def on_way(known: dict[tuple[int, int], bytes], left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Say whether the two are the halves of one subtree."""
    return known[left[0], right[1]] == sha256(b"\1" + known[left] + known[right]).digest()


def event_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the event that the reporter signed, out of the three groups."""
    return {key: value for group in entry["groups"] for key, value in group[2].items() if key not in _BOUND}


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962's hash of a leaf."""
    return sha256(b"\0" + data).digest()
