"""The vectors of a stream: what is missing in one, and what is withheld of events, of a stream or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.event_groups import GROUPS
from ledger.domain.scalars import ZERO32
from scripts.evidence_vectors.names import GATEWAY, PROVIDER
from scripts.evidence_vectors.patches import Patch, difference, remove, replace
from scripts.evidence_vectors.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.evidence_vectors.cases import Vectors

_OTHER_SALT: Final = "A" * 43 + "="
_FIRST: Final = "/checkpoints/0/entries"


def stream_vectors(made: Vectors) -> None:
    """Add them to a folder."""
    stream = _Stream(made)
    stream.withheld()
    stream.gaps()
    stream.lies()


def subject(first: int, last: int, agreement: str = "") -> dict[str, str]:
    """Return the subject of a stream's evidence."""
    return {"agreement": agreement, "first": str(first), "last": str(last), "reporter": GATEWAY}


def turned(digits: str) -> str:
    """Return a hash whose last digit is another."""
    return digits[:-1] + ("0" if digits[-1] != "0" else "1")


def differing(made: Vectors, file: str, other: bytes) -> Patch:
    """Return the patch that makes of a kept file another one."""
    return difference(made.value(file), json.loads(other))


class _Stream:
    """Seven events of one stream, in two batches, each under its own checkpoint."""

    def __init__(self, made: Vectors) -> None:
        self._made = made
        self._world = World()
        self._world.report(ZERO32, count=4)
        self._world.anchor()
        self._world.report(ZERO32, count=3)
        self._world.anchor()
        self._root = made.keep("trust-root-stream.json", self._world.trust_root_bytes())
        self._file = self._keep("stream", subject(1, 5))
        made.case("a stream's events from number 1 to 5", self._file, self._root)
        made.case("two of them, in a file that claims no more", self._keep("events-two", None, [1, 5]), self._root)

    def _keep(self, name: str, claim: dict[str, str] | None, indices: Sequence[int] = range(1, 6), *shown: str) -> str:
        made = self._world.events_evidence(indices, claim, *([shown] if shown else []))
        return self._made.keep(f"{name}.json", made)

    def withheld(self) -> None:
        """Files of which some groups are withheld, and what somebody would make of them."""
        case, root = self._made.case, self._root
        for shown in (["exchange"], ["binding"], ["detail"], ["binding", "exchange"]):
            told = " and ".join(shown)
            file = self._keep("events-" + "-".join(shown), None, [1, 2, 5], *shown)
            case(f"events of which nothing is disclosed but {told}", file, root)
            file = self._keep("stream-" + "-".join(shown), subject(1, 5), range(1, 6), *shown)
            case(f"a stream of which nothing is disclosed but {told}", file, root)
        whole = self._made.value("events-two.json")["checkpoints"][0]["entries"][0]
        for name in ("events", "stream"):
            self._attacked(f"{name}-exchange.json", name, whole)
        value = self._made.value("events-binding.json")
        salt = next(iter(value["streams"]))
        case(
            "a salt left out where the binding is disclosed", "events-binding.json", root, [remove(f"/streams/{salt}")]
        )
        case("no state where the binding is disclosed", "events-binding.json", root, [replace("/state", None)])

    def _attacked(self, file: str, what: str, whole: Any) -> None:
        value = self._made.value(file)
        one, two = value["checkpoints"][0]["entries"][:2]
        batch = self._made.value("stream.json")["batches"][0]
        state = self._made.value("stream.json")
        cases: list[tuple[str, Patch]] = [
            ("a withheld group's hash altered", [replace(f"{_FIRST}/0/groups/0", turned(one["groups"][0]))]),
            ("a withheld group's hash of another event", [replace(f"{_FIRST}/0/groups/0", two["groups"][0])]),
            ("two withheld hashes exchanged",
             [replace(f"{_FIRST}/0/groups/0", one["groups"][1]), replace(f"{_FIRST}/0/groups/1", one["groups"][0])]),
            ("a disclosed group of another event", [replace(f"{_FIRST}/0/groups/2", two["groups"][2])]),
            ("a disclosed group with another salt", [replace(f"{_FIRST}/0/groups/2/0", two["groups"][2][0])]),
            ("a disclosed group in another's place",
             [replace(f"{path}/groups", [one["groups"][2], *one["groups"][:2]]) for path, one in _entries(value)]),
            ("a group more of one event", [replace(f"{_FIRST}/0/groups", whole["groups"])]),
            ("a group less of one event", [replace(f"{_FIRST}/0/groups/2", "00" * 32)]),
            ("nothing disclosed", [replace(f"{path}/groups/2", "00" * 32) for path, _ in _entries(value)]),
            ("a batch shown without all that its reporter signed", [replace("/batches", [batch])]),
            ("a place in a batch that is not shown", [replace(f"{_FIRST}/0/place", 1)]),
            ("histories that nothing relies on", [replace("/histories", state["histories"])]),
            ("a state that nothing relies on", [replace("/state", state["state"])]),
        ]  # fmt: skip
        opened = self._made.value("stream.json")["streams"]
        if what == "events":
            cases.append(("a salt that opens nothing", [replace("/streams", opened)]))
        else:
            stream = next(iter(opened))
            cases += [
                ("the salt left out that opens the stream", [replace("/streams", {})]),
                ("another salt", [replace(f"/streams/{stream}", _OTHER_SALT)]),
                ("the stream of another reporter", [replace("/subject/reporter", f"office-head@{PROVIDER}")]),
            ]
        for title, patch in cases:
            self._made.case(f"{what}: {title}", file, self._root, patch)

    def gaps(self) -> None:
        """Files of a stream that lack some of it, with all hashes as they should be."""
        for shown in ((), ("exchange",)):
            file = "-".join(["stream", *shown]) + ".json"
            told = ", only the exchange disclosed" if shown else ""
            for title, indices, first, last in (
                ("the middle missing", [1, 2, 4, 5], 1, 5),
                ("three of the middle missing", [1, 5], 1, 5),
                ("the end missing", [1, 2, 3, 4], 1, 5),
                ("two missing at the end", [1, 2, 3], 1, 5),
                ("the beginning missing", [2, 3, 4, 5], 1, 5),
                ("an event after the last", [1, 2, 3, 4, 5], 1, 4),
                ("an event before the first", [1, 2, 3, 4, 5], 2, 5),
            ):
                made = self._world.events_evidence(indices, subject(first, last), *([shown] if shown else []))
                self._made.case(f"{title}{told}", file, self._root, differing(self._made, file, made))
        for title, patch in (
            ("a number with a zero before it", [replace("/subject/last", "05")]),
            ("a number that is none", [replace("/subject/first", "one")]),
            ("a number too large", [replace("/subject/last", "9" * 30)]),
            ("first after last", [replace("/subject/first", "6")]),
            ("a reporter that is no post", [replace("/subject/reporter", "gateway")]),
            ("the stream of another agreement", [replace("/subject/agreement", "ab" * 32)]),
            ("a stream without a subject", [replace("/subject", {})]),
        ):
            self._made.case(title, "stream.json", self._root, patch)

    def lies(self) -> None:
        """Streams that the operator logged otherwise than the reporter signed them, and one that the reporter broke."""
        world = World()
        world.report(ZERO32, count=4)
        world.relog(2, prev="ab" * 32)
        world.anchor()
        self._lie(world, "prev", "an entry that names another as the one before it", subject(1, 3))
        world = World()
        world.report(ZERO32, count=4)
        for index in (2, 3):
            world.relog(index, seq=index + 1)
        world.anchor()
        self._lie(
            world, "renumbered", "an entry of a number that the reporter did not give it", subject(0, 4), range(4)
        )
        world = World()
        world.report(ZERO32, count=4)
        world.relog(3, seq=2, prev=world.held_leaf(1).hash().hex())
        world.anchor()
        title = "an entry numbered as if the one before it had not been"
        self._lie(world, "skipped", title, subject(0, 2), [0, 1, 3], ["binding"])
        title += ", only the exchange disclosed: it does not show"
        self._lie(world, "skipped-exchange", title, subject(0, 2), [0, 1, 3], ["exchange"])
        world = World()
        world.report(ZERO32, count=2)
        world.lose(GATEWAY, "")
        world.report(ZERO32, count=2)
        world.anchor()
        self._lie(
            world, "left-out", "an event whose reporter names another as the one before it", subject(0, 3), range(4)
        )

    def _lie(
        self,
        world: World,
        name: str,
        title: str,
        claim: dict[str, str],
        indices: Sequence[int] = (1, 2, 3),
        shown: Sequence[str] = GROUPS,
    ) -> None:
        root = self._made.keep(f"trust-root-{name}.json", world.trust_root_bytes())
        made = self._made.keep(f"bad-{name}.json", world.events_evidence(indices, claim, shown))
        self._made.case(title, made, root)


def _entries(value: Any) -> list[tuple[str, Any]]:
    return [
        (f"/checkpoints/{at}/entries/{place}", entry)
        for at, part in enumerate(value["checkpoints"])
        for place, entry in enumerate(part["entries"])
    ]
