"""C2SP tlog-policy: which logs and witnesses are known, and whose cosignatures make a checkpoint valid.

    log example.org/log+98af023b+AQOh…
    witness north witness.example/north+…  https://north.example/
    witness south witness.example/south+…  https://south.example/
    group both all north south
    quorum both

Names stand for themselves inside one file only. A reader of a policy trusts whoever wrote it, so its text is checked
strictly: whatever the format does not allow refuses the whole policy, naming the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError
from ledger.log.cosignature import CosignatureVerifier
from ledger.log.note import Ed25519Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

NONE: Final = "none"
"""The predefined name of a quorum of nobody."""

_MAX_BYTES: Final = 1 << 20
_FIELD: Final = "policy"
_SPACE: Final = re.compile(r"[ \t]+")
_ALLOWED: Final = re.compile(r"[\t\n\x20-\x7e\x80-\U0010ffff]*")


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that the policy accepts, and where it is (empty if the file does not say)."""

    key: Ed25519Verifier
    url: str


@dataclass(frozen=True, slots=True)
class KnownWitness:
    """A witness by its name in the policy, its key, and where it takes checkpoints (empty if the file does not say)."""

    name: str
    key: CosignatureVerifier
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and groups of which so many must have signed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy. Groups stand in an order in which each comes after its members."""

    logs: tuple[KnownLog, ...]
    witnesses: tuple[KnownWitness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def is_met_by(self, names: frozenset[str]) -> bool:
        """Say whether cosignatures of these witnesses make the quorum."""
        if self.quorum == NONE:
            return True
        met = set(names)
        for group in self.groups:  # Each comes after its members.
            if sum(1 for member in group.members if member in met) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    def fewest(self) -> int:
        """Return how many witnesses must sign at the least for the quorum to be met."""
        if self.quorum == NONE:
            return 0
        costs = {witness.name: 1 for witness in self.witnesses}
        for group in self.groups:
            costs[group.name] = sum(sorted(costs[member] for member in group.members)[: group.threshold])
        return costs[self.quorum]

    def counted(self) -> tuple[KnownWitness, ...]:
        """Return the witnesses whose signatures can count towards the quorum, in the file's order."""
        wanted = {self.quorum}
        for group in reversed(self.groups):
            if group.name in wanted:
                wanted.update(group.members)
        return tuple(witness for witness in self.witnesses if witness.name in wanted)


def parse_policy(data: bytes) -> Policy:
    """Return the policy in a file's bytes.

    Raises:
        InvalidInputError: a line is not as the format allows; it is named by its number.
    """
    reading = _Reading()
    for number, line in enumerate(_lines(data), 1):
        words = [word for word in _SPACE.split(line) if word]
        if words and not words[0].startswith("#"):
            reading.take(number, words)
    return reading.policy()


def parse_logs(data: bytes) -> Mapping[str, tuple[Ed25519Verifier, ...]]:
    """Return the keys by origin in a file of which only the lines ``log VKEY [URL]`` count: what a witness watches.

    Several lines of one origin are several keys of one log: of which any may sign while one follows another.

    Raises:
        InvalidInputError: a line is of another kind or not as the format allows, or there is no log.
    """
    reading = _Reading()
    for number, line in enumerate(_lines(data), 1):
        words = [word for word in _SPACE.split(line) if word]
        if not words or words[0].startswith("#"):
            continue
        if words[0] != "log":
            raise InvalidInputError(f"logs, line {number}", words[0], "log VKEY [URL], or a comment after #")
        reading.take(number, words)
    if not reading.logs:
        raise InvalidInputError("logs", "no log", "at least one line: log VKEY [URL]")
    found: dict[str, tuple[Ed25519Verifier, ...]] = {}
    for log in reading.logs:
        found[log.key.name] = (*found.get(log.key.name, ()), log.key)
    return found


class _Reading:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.logs: list[KnownLog] = []
        self._witnesses: dict[str, KnownWitness] = {}
        self._groups: dict[str, Group] = {}
        self._quorum = ""
        self._log_keys: set[bytes] = set()
        self._witness_keys: set[bytes] = set()
        self._members: set[str] = set()

    def take(self, number: int, words: list[str]) -> None:
        kinds = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._set_quorum}
        where = f"{_FIELD}, line {number}"
        kind = kinds.get(words[0])
        if kind is None:
            raise InvalidInputError(where, words[0], "log, witness, group, quorum, or a comment after #")
        try:
            kind(where, words[1:])
        except InvalidInputError as error:
            if error.field == where:
                raise
            raise InvalidInputError(where, error.value, error.allowed) from error

    def policy(self) -> Policy:
        if not self._quorum:
            raise InvalidInputError(_FIELD, "no quorum", "exactly one line: quorum NAME")
        return Policy(tuple(self.logs), tuple(self._witnesses.values()), tuple(self._groups.values()), self._quorum)

    def _log(self, where: str, words: list[str]) -> None:
        if len(words) not in {1, 2}:
            raise InvalidInputError(where, " ".join(words), "log VKEY [URL]")
        key = Ed25519Verifier.from_vkey(words[0])
        if key.public_key in self._log_keys:
            raise InvalidInputError(where, words[0], "a key that no other log line has")
        self._log_keys.add(key.public_key)
        self.logs.append(KnownLog(key, "".join(words[1:])))

    def _witness(self, where: str, words: list[str]) -> None:
        if len(words) not in {2, 3}:
            raise InvalidInputError(where, " ".join(words), "witness NAME VKEY [URL]")
        self._new_name(where, words[0])
        key = CosignatureVerifier.from_vkey(words[1])
        if key.public_key in self._witness_keys:
            raise InvalidInputError(where, words[1], "a key that no other witness line has")
        self._witness_keys.add(key.public_key)
        self._witnesses[words[0]] = KnownWitness(words[0], key, "".join(words[2:]))

    def _group(self, where: str, words: list[str]) -> None:
        if len(words) < 3:
            raise InvalidInputError(where, " ".join(words), "group NAME all|any|K MEMBER…")
        name, rule, *members = words
        self._new_name(where, name)
        for member in members:
            if member not in self._witnesses and member not in self._groups:
                raise InvalidInputError(where, member, "a witness or group of a line before")
            if member in self._members:
                raise InvalidInputError(where, member, "a name that is a member nowhere else")
            self._members.add(member)
        if rule not in {"all", "any"} and not re.fullmatch(r"[1-9][0-9]{0,5}", rule):
            raise InvalidInputError(where, rule, "all, any, or a number of members")
        threshold = {"all": len(members), "any": 1}.get(rule) or int(rule)
        if threshold > len(members):
            raise InvalidInputError(where, rule, f"1 to {len(members)}, as many as the group has members")
        self._groups[name] = Group(name, threshold, tuple(members))

    def _set_quorum(self, where: str, words: list[str]) -> None:
        if len(words) != 1 or self._quorum:
            raise InvalidInputError(where, " ".join(words), "exactly one line: quorum NAME")
        if words[0] not in {NONE, *self._witnesses, *self._groups}:
            raise InvalidInputError(where, words[0], "none, or a witness or group of a line before")
        self._quorum = words[0]

    def _new_name(self, where: str, name: str) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise InvalidInputError(where, name, f"a name that is new and not {NONE}")


def _lines(data: bytes) -> list[str]:
    """Return the lines of a policy's text.

    Raises:
        InvalidInputError: it is too long, not UTF-8, or has a control character or no newline at its end.
    """
    if len(data) > _MAX_BYTES:
        raise InvalidInputError(_FIELD, f"{len(data)} bytes", f"at most {_MAX_BYTES} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(_FIELD, "other bytes", "UTF-8 text") from error
    if _ALLOWED.fullmatch(text) is None:
        raise InvalidInputError(_FIELD, "a control character", "no control characters but tab and newline")
    if text and not text.endswith("\n"):
        raise InvalidInputError(_FIELD, "a last line without newline", "lines that each end with a newline")
    return text.split("\n")[:-1]
