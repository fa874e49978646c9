"""A verifier of many events that a stranger might write: from docs/spec/evidence-batch-v1.md, with none of our code.

It takes each event's own entry out of the file, and goes through the steps of a single file with each.
"""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import pairwise
from typing import Any

import rfc8785
import rlp

from tests.evidence.stranger import Stranger
from tests.evidence.stranger_chain import RefusedError, need

_BOUND = {
    "block", "block_hash", "bound_agreement", "bound_grant", "bound_version", "duty", "flags", "responsible_post",
    "verdict",
}  # fmt: skip
_LEAF = {"accepted_at_ms", "block", "block_hash", "commitment", "prev", "seq", "stream", "v"}
_ZERO = "0" * 64


class StrangerOfMany(Stranger):
    """One verification of a file of many events."""

    def form(self) -> None:
        """0. The form of §1, and each event's own entry (§2)."""
        file = self.e
        need(
            set(file)
            == {"batches", "blocks", "checkpoints", "format", "histories", "kind", "state", "streams", "subject"},
            "0: members",
        )
        need(file["format"] == "quanze-evidence-batch-v1" and file["kind"] in {"events", "stream"}, "0: kind")
        for batch in file["batches"]:
            need(set(batch) == {"count", "deadline", "nonce", "path", "signature"}, "0: batch")
        for part in file["checkpoints"]:
            need(set(part) == {"anchor", "checkpoint", "entries", "path"} and part["entries"], "0: checkpoint")
        self.held = [(part, entry) for part in file["checkpoints"] for entry in part["entries"]]
        need(self.held, "0: nothing")
        for _, entry in self.held:
            need(
                set(entry) == {"batch", "groups", "index", "leaf", "place"} and set(entry["leaf"]) == _LEAF, "0: entry"
            )
        hashes = [node for part in (*file["batches"], *file["checkpoints"]) for node in part["path"]]
        need(all(re.fullmatch("[0-9a-f]{64}", node) for node in [*hashes, *file["streams"]]), "0: hash")
        need(all(one["index"] < two["index"] for (_, one), (_, two) in pairwise(self.held)), "0: order")
        need(all(one["anchor"] < two["anchor"] for one, two in pairwise(file["checkpoints"])), "0: anchors")
        shown = [[isinstance(group, list) and group[1] for group in entry["groups"]] for _, entry in self.held]
        need(all(some == shown[0] for some in shown), "0: other groups")
        self.shown = [name for name in shown[0] if name]
        self.is_whole = shown[0] == ["binding", "detail", "exchange"]
        self.own_batches()
        opened = {e["leaf"]["stream"] for _, e in self.held} if "binding" in self.shown or self.of_stream() else set()
        need(set(file["streams"]) == opened, "0: salts")
        subject = {"agreement", "first", "last", "reporter"} if self.of_stream() else set()
        need(set(file["subject"]) == subject, "0: subject")
        for name in subject & {"first", "last"}:
            need(re.fullmatch("0|[1-9][0-9]{0,15}", file["subject"][name]), "0: number")
        if self.of_stream():
            need(re.fullmatch("[a-z0-9-]{1,32}@.+", file["subject"]["reporter"]), "0: reporter")
            need(re.fullmatch("([0-9a-f]{64})?", file["subject"]["agreement"]), "0: agreement")

    def __init__(self, evidence: bytes, root: bytes) -> None:
        super().__init__(evidence, root)
        for part in self.e["checkpoints"]:
            leaves = {entry["index"]: leaf_hash(rfc8785.dumps(entry["leaf"])) for entry in part["entries"]}
            found = paths(leaves, int(part["checkpoint"].split("\n")[1]), part["path"])
            for entry in part["entries"]:
                salt = self.e["streams"][entry["leaf"]["stream"]] if "binding" in self.shown else ""
                own = {"anchor": part["anchor"], "batch": self.batches.get(entry["index"]),
                       "checkpoint": part["checkpoint"], "groups": entry["groups"], "index": entry["index"],
                       "leaf": entry["leaf"], "path": found[entry["index"]], "stream_salt": salt}  # fmt: skip
                self.entries.append(own)

    def of_stream(self) -> bool:
        return bool(self.e["kind"] == "stream")

    def own_batches(self) -> None:
        self.batches: dict[int, Any] = {}
        listed = self.e["batches"]
        if not self.is_whole:
            need(not listed, "0: batches")
            need(all(entry["batch"] is None and entry["place"] is None for _, entry in self.held), "0: a place")
            return
        named = [entry["batch"] for _, entry in self.held]
        need(list(dict.fromkeys(named)) == list(range(len(listed))), "0: order of batches")
        for number, batch in enumerate(listed):
            members = [entry for _, entry in self.held if entry["batch"] == number]
            digests = {entry["place"]: leaf_hash(rfc8785.dumps(event_of(entry))) for entry in members}
            need(len(digests) == len(members), "0: one place twice")
            found = paths(digests, batch["count"], batch["path"])
            for entry in members:
                own = {"place": entry["place"], "path": found[entry["place"]]}
                self.batches[entry["index"]] = {**batch, **own}

    def run(self) -> None:
        self.open_blocks()
        self.for_each(self.step1)
        if self.of_stream():
            self.stream()
        self.for_each(self.step2_3)
        self.for_each(self.step4)
        self.step5()
        if "binding" not in self.shown:
            need(self.e["histories"] == [] and self.e["state"] is None, "6: needless")
            return
        self.step6()
        self.for_each(self.step7)
        if self.is_whole and self.of_stream():
            events = [event_of(entry) for entry in self.entries]
            digests = [leaf_hash(rfc8785.dumps(event)).hex() for event in events]
            need(all(two["prev_hash"] == one for one, two in zip(digests, events[1:], strict=False)), "7: order")

    def for_each(self, step: Any) -> None:
        for entry in self.entries:
            self.e["entry"] = entry
            step()

    def step1(self) -> None:
        super().step1()
        entry = self.e["entry"]
        need(len(entry["groups"]) == 3 and self.shown, "1: groups")
        need((entry["leaf"]["seq"] == 0) == (entry["leaf"]["prev"] == _ZERO), "1: prev")

    def stream(self) -> None:
        subject = self.e["subject"]
        leaves = [entry["leaf"] for entry in self.entries]
        for leaf in leaves:
            whose = {name: subject[name] for name in ("agreement", "reporter")}
            opening = [self.e["streams"][leaf["stream"]], "stream", whose]
            need(leaf_hash(rfc8785.dumps(opening)).hex() == leaf["stream"], "1: whose stream")
        wanted = list(range(int(subject["first"]), int(subject["last"]) + 1))
        need([leaf["seq"] for leaf in leaves] == wanted, "1: numbers")
        for one, two in pairwise(leaves):
            need(leaf_hash(rfc8785.dumps(one)).hex() == two["prev"], "1: prev")


def paths(leaves: dict[int, bytes], size: int, proof: list[str]) -> dict[int, list[str]]:
    """Return each leaf's audit path, nearest sibling first, level by level from the leaves up.

    The tree is filled with what is known and given: the given hashes go, left to right, to the largest subtrees
    without a leaf of ours.
    """
    need(all(0 <= index < size for index in leaves), "0: outside the tree")
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
    need(not given, "0: more hashes than needed")
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


def verifier(evidence: bytes, root: bytes) -> Stranger:
    """Return the verification that a file needs: one of many events begins otherwise than all others."""
    return (StrangerOfMany if evidence.startswith(b'{"batches":') else Stranger)(evidence, root)


def holds(evidence: bytes, root: bytes) -> bool:
    """Say whether steps 0 to 7 hold."""
    try:
        verifier(evidence, root).run()
    except (RefusedError, ValueError, KeyError, IndexError, TypeError, rlp.exceptions.RLPException):
        return False
    return True
