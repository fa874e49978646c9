"""The stranger's tables, read out of the pages, and its reading of blocks, tries, logs and hash trees."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
import rlp
from eth_abi.abi import decode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

SPEC = Path(__file__).parents[2] / "docs/spec"
PAGE = (SPEC / "evidence-v1.md").read_text()
TYPES = (SPEC / "typed-data.md").read_text()
ROLE_BITS = {
    name: 1 << bit
    for bit, name in enumerate(
        ["PROVIDER_OFFICE_HEAD", "REQUESTER_OFFICE_HEAD", "DEPT_HEAD", "SHARING_AUTHORITY", "SUPERIOR", "INSPECTOR",
         "REVIEWER", "ASSESSOR", "PLATFORM_OPERATOR", "REPORTER"]
    )
}  # fmt: skip
COMMON = 1 | 2 | 4 | 512
OPEN = 2**64 - 1
STEPS = {"LEAD": 1, "FILED": 2, "FACTS_TOLD": 3, "DECIDED": 4, "NOTICE_ISSUED": 5, "RECTIFYING": 6, "EVIDENCE_FILED": 7,
         "VERIFIED": 9, "REWORK": 10, "CLOSED": 11, "APPEAL_FILED": 12, "APPEAL_UPHELD": 13, "APPEAL_VARIED": 14,
         "APPEAL_REVOKED": 15, "WITHDRAWN": 16, "REOPENED": 17, "NO_ACTION": 18}  # fmt: skip
DUTIES = {"DELIVER": 3, "USE_WITHIN_SCOPE": 5, "PROTECT": 6, "RECORD": 7, "DISPOSE": 8}
REGISTRARS = {
    "AgencyCapacitiesSet",
    "AgencySuspended",
    "AgencyReinstated",
    "RootReplacementAnnounced",
    "AgencySucceeded",
}
ZERO = bytes(32)


class RefusedError(Exception):
    """A step does not hold."""


def post_id(text: str) -> bytes:
    code, _, agency = text.partition("@")
    return keccak(keccak(text=agency) + keccak(text=code))


def need(holds: object, why: str) -> None:
    if not holds:
        raise RefusedError(why)


def part(mark: str) -> str:
    return PAGE.partition(f"<!--{mark}-->")[2].partition(f"<!--/{mark}-->")[0]


EVENTS = {
    bytes.fromhex(topic): (contract, signature)
    for contract, signature, topic in re.findall(
        r"^\| (\w+) \| `([^`]+)` \| `(\w{64})` \|", part("EVENTS"), re.MULTILINE
    )
}
FUNCTIONS = {
    bytes.fromhex(selector): (record.partition(",")[0], signature)
    for record, signature, selector in re.findall(
        r"^\| ([\w, ]+) \| `([^`]+)` \| `(\w{8})` \|", part("FUNCTIONS"), re.MULTILINE
    )
}
RULES = {
    (event, record): re.findall(r"`(\w+)`(?: = `(\w+)`)?( \(0: [^)]+\))?", equal)
    for event, record, equal in re.findall(r"^\| (\w+) \| (\w+) \| (`.+) \|$", part("RULES"), re.MULTILINE)
}
ROLES = {
    name: sum(ROLE_BITS[role] for role in re.findall(r"`(\w+)`", roles)) or 1023
    for name, roles in re.findall(r"^\| ([\w ]+) \| (`.+|any) \|$", part("ROLES"), re.MULTILINE)
}
STRUCTS: dict[str, list[tuple[str, str]]] = {}
CONTRACTS: dict[str, str] = {}
for _contract, _type in re.findall(r"^\| (\S+) \| `([^`]+)` \|", TYPES, re.MULTILINE):
    for _name, _fields in re.findall(r"(\w+)\(([^)]*)\)", _type):
        STRUCTS[_name] = [tuple(field.split(" ")) for field in _fields.split(",")]  # type: ignore[misc]
    CONTRACTS[_type.partition("(")[0]] = _contract
INTERFACES = "".join(path.read_text() for path in sorted((SPEC.parents[1] / "contracts/interfaces").glob("I*.sol")))


def event_fields(name: str) -> list[tuple[str, str, bool]]:
    """Return (type, name, indexed) of an event as its interface declares it."""
    found = re.search(rf"event {name}\(([^)]*)\)", INTERFACES)
    assert found is not None
    fields = []
    for field in found[1].split(","):
        words = field.split()
        fields.append((words[0], words[-1], "indexed" in words))
    return fields


class ChainReader:
    """An evidence file and a trust root, and what their bytes say."""

    def __init__(self, evidence: bytes, root: bytes) -> None:
        self.e: Any = json.loads(evidence)
        self.r: Any = json.loads(root)
        need(rfc8785.dumps(self.e) == evidence and rfc8785.dumps(self.r) == root, "0: canonical")
        self.blocks: dict[int, Any] = {}
        self.form()
        self.entries: list[Any] = []  # The entries whose proofs the file holds.
        if self.e.get("entry") is not None:
            self.entries = [self.e["entry"]]

    def form(self) -> None:
        kind = self.e["kind"]
        need(
            set(self.e)
            == {"answer", "blocks", "documents", "entry", "format", "histories", "kind", "state", "subject"},
            "0",
        )
        need((self.e["entry"] is not None) == (kind == "event"), "0: entry")
        need((self.e["answer"] is not None) == (kind == "answer"), "0: answer")
        texts = (
            json.dumps(self.e["blocks"]) + json.dumps(self.e["state"]) + json.dumps((self.e["entry"] or {}).get("leaf"))
        )
        need(not re.search(r'"[0-9A-F]*[A-F][0-9A-F]*"', texts), "0: upper case")

    # Blocks and tries.

    def open_blocks(self) -> None:
        last = None
        for block in self.e["blocks"]:
            raw = bytes.fromhex(block["header"])
            fields = rlp.decode(raw)
            number, time = (int.from_bytes(fields[place], "big") for place in (8, 11))
            header = {"hash": keccak(raw), "parent": fields[0], "state": fields[3], "txs": fields[4],
                      "receipts": fields[5], "number": number, "time": time, "block": block}  # fmt: skip
            if last is not None:
                need(number > last["number"] and time >= last["time"], "5: order")
                need(number != last["number"] + 1 or fields[0] == last["hash"], "5: parent")
            self.blocks[number] = last = header

    def walk(self, root: bytes, nodes: list[str], keys: list[bytes], what: str) -> list[bytes | None]:
        known = {keccak(bytes.fromhex(node)): bytes.fromhex(node) for node in nodes}
        met: dict[bytes, None] = {}
        found: list[bytes | None] = []
        for key in keys:
            path, wanted = key.hex(), root
            value: bytes | None = None
            while root != keccak(b"\x80"):
                if isinstance(wanted, bytes):
                    need(wanted in known, what)
                    met[wanted] = None
                    node = rlp.decode(known[wanted])
                else:
                    node = wanted
                if len(node) == 17:
                    if not path:
                        value = node[16] or None
                        break
                    wanted, path = node[int(path[0], 16)], path[1:]
                else:
                    own = node[0].hex()
                    own = own[1:] if int(own[0], 16) & 1 else own[2:]
                    if node[0][0] >> 5:
                        value = node[1] if own == path else None
                        break
                    if not path.startswith(own):
                        break
                    wanted, path = node[1], path[len(own) :]
                if wanted == b"":
                    break
            found.append(value)
        need([keccak(bytes.fromhex(node)) for node in nodes] == list(met), f"{what}: needless nodes")
        return found

    def tries(self, number: int, indices: list[int]) -> None:
        header = self.blocks[number]
        keys = [rlp.encode(index) for index in indices]
        header["raw"] = dict(
            zip(indices, self.walk(header["txs"], header["block"]["transactions"], keys, "5"), strict=True)
        )
        receipts = self.walk(header["receipts"], header["block"]["receipts"], keys, "5")
        header["logs"] = {}
        for index, raw in zip(indices, receipts, strict=True):
            need(raw is not None, "5: no receipt")
            assert raw is not None
            header["logs"][index] = rlp.decode(raw if raw[0] >= 0xC0 else raw[1:])[3]

    def event(self, place: list[int]) -> dict[str, Any]:
        number, transaction, log = place
        need(number in self.blocks, "5: no block")
        address, topics, data = self.blocks[number]["logs"][transaction][log]
        need(topics[0] in EVENTS, "not ours")
        contract, signature = EVENTS[topics[0]]
        name = signature.partition("(")[0]
        fields = event_fields(name)
        types = self.types(signature.partition("(")[2][:-1])
        values, rest = {}, []
        later = list(topics[1:])
        for (_, field, indexed), kind in zip(fields, types, strict=True):
            if indexed:
                (values[field],) = decode([kind], later.pop(0))
            else:
                rest.append((field, kind))
        values |= dict(zip([field for field, _ in rest], decode([kind for _, kind in rest], data), strict=True))
        clean = {field: self.plain(value) for field, value in values.items()}
        place_of = {"name": name, "contract": contract, "address": address, "place": place}
        raw = {"topics": topics, "data": data, "time": self.blocks[number]["time"]}
        return {**place_of, **raw, **{f".{field}": value for field, value in clean.items()}}

    @staticmethod
    def types(text: str) -> list[str]:
        found, depth, start = [], 0, 0
        for place, character in enumerate(text + ","):
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                found.append(text[start:place])
                start = place + 1
        return found

    @classmethod
    def plain(cls, value: Any) -> Any:
        if isinstance(value, str):
            return bytes.fromhex(value[2:])
        return tuple(cls.plain(element) for element in value) if isinstance(value, tuple | list) else value

    # Steps.

    @staticmethod
    def leaf_hash(data: bytes) -> bytes:
        return sha256(b"\0" + data).digest()

    @classmethod
    def mth(cls, hashes: list[bytes]) -> bytes:
        if len(hashes) == 1:
            return hashes[0]
        cut = 1 << ((len(hashes) - 1).bit_length() - 1)
        return sha256(b"\1" + cls.mth(hashes[:cut]) + cls.mth(hashes[cut:])).digest()

    @classmethod
    def follow(cls, leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
        """RFC 9162, 2.1.3.2, as it is written there."""
        need(index < size, "index")
        fn, sn, r = index, size - 1, leaf
        for p in path:
            need(sn != 0, "path too long")
            if fn & 1 or fn == sn:
                r = sha256(b"\1" + p + r).digest()
                while not fn & 1 and fn != 0:
                    fn, sn = fn >> 1, sn >> 1
            else:
                r = sha256(b"\1" + r + p).digest()
            fn, sn = fn >> 1, sn >> 1
        need(sn == 0, "path too short")
        return r

    def commitment(self, groups: list[Any]) -> bytes:
        names = [group[1] for group in groups if isinstance(group, list)]
        need(names == sorted(set(names)), "1: names")
        return self.mth([bytes.fromhex(g) if isinstance(g, str) else self.leaf_hash(rfc8785.dumps(g)) for g in groups])

    def opened(self, name: str) -> Any:
        return next(
            (group[2] for group in self.e["entry"]["groups"] if group[1] == name and isinstance(group, list)), None
        )

    @staticmethod
    def recover(message: SignableMessage, signature: bytes) -> bytes:
        try:
            return bytes.fromhex(Account.recover_message(message, signature=signature)[2:])
        except Exception:  # noqa: BLE001 - whatever other people's code says, nobody signed.
            return b""

    def message(self, record: str, fields: dict[str, Any]) -> SignableMessage:
        kinds = {record, *(kind for kind in ("Terms", "Grant") if record == "Propose")}
        types = {kind: [{"name": name, "type": type_} for type_, name in STRUCTS[kind]] for kind in kinds}

        def value(type_: str, content: Any) -> Any:
            if type_.endswith("[]"):
                return [value(type_[:-2], element) for element in content]
            if type_ in STRUCTS:
                return {n: value(t, c) for (t, n), c in zip(STRUCTS[type_], content, strict=True)}
            return "0x" + content.hex() if type_ == "address" else content

        return encode_typed_data(
            domain_data={"name": "Quanze", "version": "1", "chainId": self.r["chain_id"],
                         "verifyingContract": "0x" + self.r["contracts"][CONTRACTS[record]]["address"]},
            message_types=types,
            message_data={name: value(type_, fields[name]) for type_, name in STRUCTS[record]},
        )  # fmt: skip
