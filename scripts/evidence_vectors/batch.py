"""The vectors of docs/spec/evidence-batch-v1.md: files of many events; those of a stream are in ``batch_streams``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import Verdict
from ledger.domain.scalars import ZERO32
from ledger.evidence.entry_steps import open_groups
from ledger.log.note import Ed25519Signer, sign_note
from scripts.evidence_vectors.batch_streams import differing, stream_vectors, subject, turned
from scripts.evidence_vectors.cases import Vectors
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import GATEWAY, ORIGIN
from scripts.evidence_vectors.patches import Patch, add, apply, remove, replace
from scripts.evidence_vectors.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

BATCH_FOLDER: Final = "docs/spec/vectors/evidence-batch-v1"
_FIRST: Final = "/checkpoints/0/entries"


def batch_vectors() -> Mapping[str, str]:
    """Return every file of the folder by its path."""
    made = Vectors()
    _events(made)
    stream_vectors(made)
    _witnessed(made)
    _misjudged(made)
    return made.folder(BATCH_FOLDER)


def _events(made: Vectors) -> None:
    """Six events of two streams, in four batches, under two checkpoints."""
    world = World()
    agreement = world.agree()
    world.report(agreement, count=4)
    world.report(ZERO32, count=2)
    world.anchor()
    world.report(agreement, count=3)
    world.report(agreement, count=5)
    world.anchor()
    root = made.keep("trust-root.json", world.trust_root_bytes())
    file = made.keep("events.json", world.events_evidence([1, 3, 4, 7, 8, 13]))
    made.case("six events of two streams, in four batches, under two checkpoints", file, root)
    value = made.value(file)
    for title, patch in [*_altered(value), *_proofs(value), *_checkpoints(value), *_shared(value)]:
        made.case(title, file, root, patch)
    for title, text in _bytes(value):
        made.case(title, file, root, text=text)
    fewer = world.events_evidence([1, 4, 7, 8, 13])
    made.case(
        "one of the events left out with its hashes: a file of the others", file, root, differing(made, file, fewer)
    )


def _altered(value: Any) -> list[tuple[str, Patch]]:
    first, second, third = value["checkpoints"][0]["entries"]
    groups = first["groups"]
    forged = apply(groups, [replace("/2/2/purpose", "dpv:Marketing")])
    committed = open_groups([tuple(group) for group in forged], 1).root.hex()
    later = value["checkpoints"][1]["entries"][0]
    return [
        ("an event altered", [replace(f"{_FIRST}/0/groups/2/2/purpose", "dpv:Marketing")]),
        ("an event and its commitment altered",
         [replace(f"{_FIRST}/0/groups", forged), replace(f"{_FIRST}/0/leaf/commitment", committed)]),
        ("an entry's time altered", [replace(f"{_FIRST}/0/leaf/accepted_at_ms", 0)]),
        ("an entry's number altered", [replace(f"{_FIRST}/0/leaf/seq", 2)]),
        ("an event dropped", [remove(f"{_FIRST}/0")]),
        ("the last event of a checkpoint dropped", [remove(f"{_FIRST}/2")]),
        ("the events of a checkpoint dropped, the checkpoint not", [replace(_FIRST, [])]),
        ("two events in another order", [replace(_FIRST, [second, first, third])]),
        ("an event twice", [add(f"{_FIRST}/1", first)]),
        ("two entries of one index", [replace(f"{_FIRST}/1/index", first["index"])]),
        ("another index", [replace(f"{_FIRST}/0/index", 0)]),
        ("the indices of two events exchanged, each with its number",
         [replace(_FIRST, [{**second, "index": first["index"]}, {**first, "index": second["index"]}, third])]),
        ("an index outside the log", [replace("/checkpoints/1/entries/2/index", 14)]),
        ("an index of another checkpoint's entries", [replace(f"{_FIRST}/2/index", later["index"])]),
        ("the groups of two events exchanged",
         [replace(f"{_FIRST}/0/groups", second["groups"]), replace(f"{_FIRST}/1/groups", groups)]),
        ("a group of another event", [replace(f"{_FIRST}/0/groups/1", second["groups"][1])]),
        ("a group opened with another salt", [replace(f"{_FIRST}/0/groups/0/0", second["groups"][0][0])]),
        ("a group left out", [remove(f"{_FIRST}/0/groups/1")]),
    ]  # fmt: skip


def _proofs(value: Any) -> list[tuple[str, Patch]]:
    path, signed = value["checkpoints"][1]["path"], value["batches"][0]["path"]
    one, two = value["checkpoints"][0]["entries"][:2]
    return [
        ("a wrong hash in a checkpoint's multiproof", [replace("/checkpoints/1/path/0", turned(path[0]))]),
        ("two hashes of a multiproof exchanged", [replace("/checkpoints/1/path", [path[1], path[0], *path[2:]])]),
        ("a hash more in a checkpoint's multiproof", [add("/checkpoints/1/path/0", path[0])]),
        ("a hash more at its end", [replace("/checkpoints/1/path", [*path, path[0]])]),
        ("a hash less in a checkpoint's multiproof", [remove("/checkpoints/1/path/0")]),
        ("a hash of 31 bytes", [replace("/checkpoints/1/path/0", path[0][2:])]),
        ("a hash in upper case", [replace("/checkpoints/1/path/0", path[0][:-1] + "A")]),
        ("a wrong hash in a batch's multiproof", [replace("/batches/0/path/0", turned(signed[0]))]),
        ("a hash more in a batch's multiproof", [add("/batches/0/path/0", signed[0])]),
        ("a hash less in a batch's multiproof", [remove("/batches/0/path/0")]),
        ("another place in the batch", [replace(f"{_FIRST}/0/place", 0)]),
        ("two events at one place of their batch", [replace(f"{_FIRST}/1/place", one["place"])]),
        ("the places of two events exchanged",
         [replace(f"{_FIRST}/0/place", two["place"]), replace(f"{_FIRST}/1/place", one["place"])]),
        ("a place outside the batch", [replace(f"{_FIRST}/1/place", value["batches"][0]["count"])]),
        ("a batch of another count", [replace("/batches/0/count", value["batches"][0]["count"] + 1)]),
    ]  # fmt: skip


def _checkpoints(value: Any) -> list[tuple[str, Patch]]:
    one, two = value["checkpoints"]
    text = one["checkpoint"].partition("\n\n")[0] + "\n"
    thief = sign_note(text, [Ed25519Signer(ORIGIN, b"\1" * 32)]).decode()
    lines = one["checkpoint"].split("\n")
    smaller = two["checkpoint"].replace("\n14\n", "\n13\n")
    spoiled = lines[4].replace("A", "B", 1) if "A" in lines[4] else lines[4].replace("B", "C", 1)
    text = text.replace(ORIGIN, "log.example/another")
    elsewhere = sign_note(text, [Ed25519Signer("log.example/another", b"\1" * 32)]).decode()
    unsigned = "\n".join([*lines[:4], spoiled, *lines[5:]])
    return [
        ("the checkpoints exchanged", [replace("/checkpoints", [two, one])]),
        ("a checkpoint in another's place", [replace("/checkpoints/0/checkpoint", two["checkpoint"])]),
        ("a checkpoint of another size", [replace("/checkpoints/1/checkpoint", smaller)]),
        ("a checkpoint of another root",
         [replace("/checkpoints/0/checkpoint", "\n".join([*lines[:2], two["checkpoint"].split("\n")[2], *lines[3:]]))]),
        ("a checkpoint of another log", [replace("/checkpoints/0/checkpoint", elsewhere)]),
        ("a checkpoint signed by another key", [replace("/checkpoints/0/checkpoint", thief)]),
        ("a checkpoint whose signature is altered", [replace("/checkpoints/0/checkpoint", unsigned)]),
        ("a checkpoint without the log's cosignature, which is not the anchored note",
         [replace("/checkpoints/0/checkpoint", "\n".join([*lines[:5], ""]))]),
        ("the anchor of another checkpoint", [replace("/checkpoints/0/anchor", two["anchor"])]),
        ("another event in the anchor's place", [replace("/checkpoints/0/anchor", value["histories"][0]["events"][0])]),
        ("one checkpoint twice, with an entry each",
         [replace(_FIRST, one["entries"][:1]), add("/checkpoints/1", {**one, "entries": one["entries"][1:]})]),
        ("no checkpoint", [replace("/checkpoints", [])]),
    ]  # fmt: skip


def _shared(value: Any) -> list[tuple[str, Patch]]:
    one, two = value["batches"][:2]
    streams = list(value["streams"].items())
    agreed = next(place for place, h in enumerate(value["histories"]) if h["contract"] == "AgreementLedger")
    last = len(value["histories"][agreed]["events"]) - 1
    return [
        ("a batch's signature of another batch", [replace("/batches/0/signature", two["signature"])]),
        ("a batch's deadline altered", [replace("/batches/0/deadline", one["deadline"] + 1)]),
        ("two batches exchanged", [replace("/batches/0", two), replace("/batches/1", one)]),
        ("two batches exchanged, and their numbers",
         [replace("/batches/0", two), replace("/batches/1", one), replace(f"{_FIRST}/0/batch", 1),
          replace(f"{_FIRST}/1/batch", 1), replace(f"{_FIRST}/2/batch", 0)]),
        ("a batch that no entry is of", [replace("/batches", [*value["batches"], one])]),
        ("an entry of a batch that there is not", [replace("/checkpoints/1/entries/2/batch", len(value["batches"]))]),
        ("the batches hidden", [replace("/batches", [])]),
        ("an entry without its batch", [replace(f"{_FIRST}/0/batch", None)]),
        ("the salts of two streams exchanged",
         [replace(f"/streams/{streams[0][0]}", streams[1][1]), replace(f"/streams/{streams[1][0]}", streams[0][1])]),
        ("a stream's salt left out", [remove(f"/streams/{streams[0][0]}")]),
        ("a salt of a stream that no entry is of", [replace(f"/streams/{'00' * 32}", streams[0][1])]),
        ("a block without its seal", [replace("/blocks/0/seals", [])]),
        ("a block twice", [add("/blocks/0", value["blocks"][0])]),
        ("a history without its last event", [remove(f"/histories/{agreed}/events/{last}")]),
        ("no state", [replace("/state", None)]),
        ("a state proof of another block", [replace("/state/block", value["checkpoints"][0]["anchor"][0])]),
        ("the subject of a stream for events", [replace("/subject", subject(0, 0))]),
        ("another kind", [replace("/kind", "event")]),
        ("another format", [replace("/format", "quanze-evidence-v1")]),
        ("a member that the format does not have", [add("/note", "")]),
        ("a member left out", [remove("/streams")]),
    ]  # fmt: skip


def _bytes(value: Any) -> list[tuple[str, tuple[str, str]]]:
    """Bytes that say the same and are not the canonical ones."""
    count, deadline = (f'"{name}":{value["batches"][0][name]},' for name in ("count", "deadline"))
    return [
        ("a space", ('{"batches":', '{ "batches":')),
        ("a line end after the file", ('"subject":{}}', '"subject":{}}\n')),
        ("two members in another order", (count + deadline, deadline + count)),
        ("a member twice", ('"index":1,', '"index":1,"index":1,')),
        ("a character written otherwise", ('"kind":"events"', '"kind":"\\u0065vents"')),
        ("a number written otherwise", ('"index":1,', '"index":1.0,')),
        ("a number with an exponent", ('"index":1,', '"index":1e0,')),
        ("a number with a sign", ('"place":1}', '"place":-0}')),
        ("a byte order mark", ('{"batches":', '\ufeff{"batches":')),
    ]


def _witnessed(made: Vectors) -> None:
    world = World(validators=4, witnesses=2)
    world.report(ZERO32, count=2)
    world.anchor()
    root = made.keep("trust-root-validators.json", world.trust_root_bytes())
    file = made.keep("events-validators.json", world.events_evidence([0, 1]))
    made.case("events under four validators and two witnesses", file, root)
    note = made.value(file)["checkpoints"][0]["checkpoint"]
    lines = note.split("\n")
    swapped = lines[-2][:-12] + lines[-3][-12:]
    for title, changed in (
        ("a witness's cosignature altered", [*lines[:-2], swapped, ""]),
        ("a witness's cosignature left out", [*lines[:-2], ""]),
        ("a witness's cosignature twice", [*lines[:-1], lines[-2], ""]),
    ):
        made.case(title, file, root, [replace("/checkpoints/0/checkpoint", "\n".join(changed))])


def _misjudged(made: Vectors) -> None:
    world = World()
    world.report(ZERO32, count=1)
    world.report(ZERO32, count=1, verdict=lambda binding: dataclasses.replace(
        binding, mismatches=(), verdict=Verdict.WITHIN_SCOPE
    ))  # fmt: skip
    real, world.keys[GATEWAY] = world.keys[GATEWAY], Key("thief")
    world.report(ZERO32, count=1)
    world.keys[GATEWAY] = real
    world.anchor()
    root = made.keep("trust-root-misjudged.json", world.trust_root_bytes())
    file = made.keep("bad-verdict.json", world.events_evidence([0, 1]))
    made.case("the verdict of one event that the operator made up", file, root)
    file = made.keep("bad-reporter.json", world.events_evidence([0, 2]))
    made.case("one of two batches signed by a key that is not the reporter's", file, root)
