"""A verifier of steps 0 to 7 that a stranger might write: from docs/spec alone, with other people's libraries.

It shares no code with ours. Its tables are read out of the pages: functions, rules and roles of evidence-v1.md, type
strings of typed-data.md. It says only whether the steps hold.
"""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785
import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
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


class Stranger:
    """One verification."""

    def __init__(self, evidence: bytes, root: bytes) -> None:
        self.e: Any = json.loads(evidence)
        self.r: Any = json.loads(root)
        need(rfc8785.dumps(self.e) == evidence and rfc8785.dumps(self.r) == root, "0: canonical")
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
        self.blocks: dict[int, Any] = {}

    def run(self) -> None:
        self.open_blocks()
        self.step1()
        if self.e["entry"] is not None:
            self.step2_3()
            self.step4()
        self.step5()
        if self.claims():
            self.step6()
            if self.e["entry"] is not None:
                self.step7()
        else:
            need(self.e["histories"] == [] and self.e["state"] is None, "6: needless")

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

    def step1(self) -> None:
        entry = self.e["entry"]
        if entry is None:
            return  # Documents are checked when histories are read.
        need(self.commitment(entry["groups"]).hex() == entry["leaf"]["commitment"], "1: commitment")
        binding = self.opened("binding")
        if binding is not None:
            leaf = entry["leaf"]
            same = (binding["block"], binding["block_hash"], binding["reporter_seq"])
            need(same == (leaf["block"], leaf["block_hash"], leaf["seq"]), "1: leaf")
            opening = [entry["stream_salt"], "stream", {k: binding[k] for k in ("agreement", "reporter")}]
            need(self.leaf_hash(rfc8785.dumps(opening)).hex() == leaf["stream"], "1: stream")

    def step2_3(self) -> None:
        entry = self.e["entry"]
        text, _, lines = entry["checkpoint"].partition("\n\n")
        origin, size, root = text.split("\n")[:3]
        leaf = self.leaf_hash(rfc8785.dumps(entry["leaf"]))
        led = self.follow(leaf, entry["index"], int(size), [bytes.fromhex(node) for node in entry["path"]])
        need(led == base64.b64decode(root), "2")
        need(origin == self.r["log"]["origin"], "3: origin")
        signed = set()
        for line in lines.rstrip("\n").split("\n"):
            _, name, encoded = line.split(" ")
            (vkey,) = [
                k for k in (self.r["log"]["vkey"], *self.r["witnesses"]["keys"]) if k.startswith(name + "+")
            ] or [""]
            need(vkey, "3: stranger")
            key, signature = base64.b64decode(vkey.split("+", 2)[2])[1:], base64.b64decode(encoded)[4:]
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, (text + "\n").encode())
            except Exception as error:
                raise RefusedError("3: signature") from error
            signed.add(vkey)
        need(self.r["log"]["vkey"] in signed, "3: log")
        need(len(signed) - 1 >= self.r["witnesses"]["threshold"], "3: witnesses")

    def step4(self) -> None:
        entry = self.e["entry"]
        self.read_all()
        anchor = self.event(entry["anchor"])
        size, root = entry["checkpoint"].split("\n")[1:3]
        need(anchor["name"] == "CheckpointAnchored", "4: name")
        need(anchor["address"].hex() == self.r["contracts"]["CheckpointAnchor"]["address"], "4: address")
        stated = (int(size), base64.b64decode(root), sha256(entry["checkpoint"].encode()).digest())
        need((anchor[".size"], anchor[".root"], anchor[".noteHash"]) == stated, "4: checkpoint")
        bound = self.blocks.get(entry["leaf"]["block"])
        need(bound is not None and bound["hash"].hex() == entry["leaf"]["block_hash"], "4: bound")
        assert bound is not None
        need(0 <= anchor["time"] - bound["time"] <= 60, "4: STALE_BINDING")

    def read_all(self) -> None:
        used: dict[int, set[int]] = {}
        for history in self.e["histories"]:
            for number, transaction, _ in history["events"]:
                used.setdefault(number, set()).add(transaction)
        if self.e["entry"] is not None:
            number, transaction, _ = self.e["entry"]["anchor"]
            used.setdefault(number, set()).add(transaction)
            used.setdefault(self.e["entry"]["leaf"]["block"], set())
        if self.e["state"] is not None:
            used.setdefault(self.e["state"]["block"], set())
        need(sorted(used) == list(self.blocks), "5: blocks")
        for number, indices in used.items():
            self.tries(number, sorted(indices))

    def step5(self) -> None:
        self.read_all()
        deployment = keccak(self.r["chain_id"].to_bytes(32, "big") + bytes.fromhex(self.r["genesis_hash"]))
        for number, header in self.blocks.items():
            message = encode_typed_data(full_message={
                "types": {
                    "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"},
                                     {"name": "chainId", "type": "uint256"}],
                    "Seal": [{"name": "deployment", "type": "bytes32"}, {"name": "number", "type": "uint64"},
                             {"name": "blockHash", "type": "bytes32"}],
                },
                "primaryType": "Seal",
                "domain": {"name": "Quanze Seal", "version": "1", "chainId": self.r["chain_id"]},
                "message": {"deployment": deployment, "number": number, "blockHash": header["hash"]},
            })  # fmt: skip
            signers = [self.recover(message, bytes.fromhex(seal)) for seal in header["block"]["seals"]]
            need(all(signer.hex() in self.r["validators"]["keys"] for signer in signers), "5: validator")
            need(signers == sorted(set(signers)), "5: seals")
            need(len(signers) >= self.r["validators"]["threshold"], "5: threshold")

    @staticmethod
    def recover(message: SignableMessage, signature: bytes) -> bytes:
        try:
            return bytes.fromhex(Account.recover_message(message, signature=signature)[2:])
        except Exception:  # noqa: BLE001 - whatever other people's code says, nobody signed.
            return b""

    def claims(self) -> bool:
        return self.e["entry"] is None or self.opened("binding") is not None

    def key_of(self, *words: bytes | int) -> str:
        return keccak(b"".join(w if isinstance(w, bytes) else w.to_bytes(32, "big") for w in words)).hex()

    def base(self) -> list[tuple[str, str]]:
        kind, subject = self.e["kind"], self.e["subject"]
        if kind == "event":
            binding = self.opened("binding")
            if not binding["agreement"]:
                return []
            about = bytes.fromhex(binding["agreement"])
            duties = (DUTIES[binding["duty"]], DUTIES["RECORD"])
            return [
                ("AgreementLedger", about.hex()),
                *(("ResponsibilityLedger", self.key_of(d, about)) for d in duties),
            ]
        if kind == "agreement":
            return [("AgreementLedger", subject["agreement"])]
        if kind == "case" or subject.get("ask") == "history":
            return [("CaseLedger", subject["case"])]
        if subject.get("ask") == "right":
            agency, _, code = subject["dataset"].partition("#")
            dataset = keccak(keccak(text=agency) + keccak(text=code))
            pair = "00000000" + self.key_of(keccak(text=subject["agency"]), dataset)[:56]
            proposed = [
                e[".agreement"].hex() for e in self.history("AgreementLedger", pair) if e["name"] == "AgreementProposed"
            ]
            return [("AgreementLedger", pair), *(("AgreementLedger", one) for one in dict.fromkeys(proposed))]
        duty = DUTIES[subject["duty"]]
        return [("ResponsibilityLedger", self.key_of(duty, bytes.fromhex(subject["object"])))]

    def history(self, contract: str, key: str) -> list[dict[str, Any]]:
        for history in self.e["histories"]:
            if (history["contract"], history["key"]) == (contract, key):
                return [self.event(place) for place in history["events"]]
        return []

    def step6(self) -> None:
        base = self.base()
        posts = {}
        if self.e["entry"] is not None:
            binding = self.opened("binding")
            posts[post_id(binding["reporter"]).hex()] = None
            if binding["responsible_post"]:
                posts[binding["responsible_post"]] = None
        for contract, key in base:
            for event in self.history(contract, key):
                actor = event.get(".post", event.get(".byPost"))
                if actor is not None:
                    posts[actor.hex()] = None
        wanted = set(base)
        for post in posts:
            wanted.add(("AgencyRegistry", post))
            wanted |= {
                ("AgencyRegistry", e[".agency"].hex())
                for e in self.history("AgencyRegistry", post)
                if e["name"] == "PostRegistered"
            }
        need([(h["contract"], h["key"]) for h in self.e["histories"]] == sorted(wanted), "6: histories")
        if self.e["kind"] in {"agreement", "responsibility", "case"}:
            need(self.history(*base[0]), "6: nothing")
        committed = {v for c, k in base for e in self.history(c, k) for v in self.words(list(e.values()))}
        for document in self.e["documents"]:
            need(self.commitment(document) in committed, "1: document")
        state = self.e["state"]
        named = [place[0] for h in self.e["histories"] for place in h["events"]]
        if self.e["entry"] is not None:
            named += [self.e["entry"]["leaf"]["block"], self.e["entry"]["anchor"][0]]
        need(state["block"] >= max(named, default=0), "6: old state")
        contracts = sorted(
            {h["contract"] for h in self.e["histories"]} | ({"CheckpointAnchor"} if self.e["entry"] else set())
        )
        keys = [keccak(bytes.fromhex(self.r["contracts"][name]["address"])) for name in contracts]
        accounts = self.walk(self.blocks[state["block"]]["state"], state["accounts"], keys, "6: accounts")
        for name, account in zip(contracts, accounts, strict=True):
            need(account is not None, "6: no account")
            _, _, storage, code = rlp.decode(account)
            need(code.hex() == self.r["contracts"][name]["code_hash"], "6: code")
            own = [h for h in self.e["histories"] if h["contract"] == name]
            if not own:
                continue
            need(name in state["storage"], "6: storage")
            slots = [keccak(keccak(bytes.fromhex(h["key"]) + ZERO)) for h in own]
            values = self.walk(storage, state["storage"][name], slots, "6: storage")
            for history, value in zip(own, values, strict=True):
                head = ZERO
                for event in self.history(name, history["key"]):
                    digest = keccak(b"".join(event["topics"]) + event["data"])
                    words = event["place"][0].to_bytes(32, "big") + event["time"].to_bytes(32, "big")
                    head = keccak(head + words + digest)
                need(head == (rlp.decode(value).rjust(32, b"\0") if value else ZERO), "6: not complete")
        self.signatures()

    def words(self, value: Any) -> set[bytes]:
        if isinstance(value, bytes):
            return {value} if len(value) == 32 else set()
        return {word for element in value for word in self.words(element)} if isinstance(value, list | tuple) else set()

    def signatures(self) -> None:
        every = {tuple(place): self.event(place) for h in self.e["histories"] for place in h["events"]}
        self.rotated: set[bytes] = set()
        for place, event in sorted(every.items()):
            if event["name"] in REGISTRARS:
                continue
            raw = self.blocks[place[0]]["raw"][place[1]]
            kind = raw[0] if raw[0] < 0xC0 else 0
            fields = rlp.decode(raw[1:] if kind else raw)
            to, data = (fields[3], fields[5]) if kind == 0 else (fields[3 + kind], fields[5 + kind])
            need(to == event["address"], "6: to")
            need(data[:4] in FUNCTIONS or event["name"] == "RootKeyChanged", "6: function")
            if data[:4] in FUNCTIONS:
                self.one_signature(event, *FUNCTIONS[data[:4]], data[4:])
        for history in self.e["histories"]:
            events = self.history(history["contract"], history["key"])
            held = [e[".rootKey"] if e["name"] == "AgencyAdmitted" else e[".newRoot"]
                    for e in events if e["name"] in {"AgencyAdmitted", "RootKeyChanged"}]  # fmt: skip
            if held:
                trusted = [bytes.fromhex(key) for key in self.r["agencies"].get(history["key"], [])]
                shared = min(len(held), len(trusted))
                need(trusted and held[:shared] == trusted[:shared], "6: root key")
                need(all(key in self.rotated for key in held[shared:]), "6: registrar's root key")

    def one_signature(self, event: dict[str, Any], record: str, signature: str, data: bytes) -> None:
        need(CONTRACTS[record] == event["contract"], "6: contract")
        types = self.types(signature.partition("(")[2][:-1])
        arguments = [self.plain(value) for value in decode(types, data, strict=False)]
        fields = dict(zip([name for _, name in STRUCTS[record]], arguments[0], strict=True))
        signer = fields["rootKey"] if record == "AdmitAgency" else next(
            value for kind, value in zip(types, arguments, strict=True) if kind == "address"
        )  # fmt: skip
        signed = [value for kind, value in zip(types, arguments, strict=True) if kind == "bytes"]
        message = self.message(record, fields)
        need(self.recover(message, signed[0]) == signer, "6: signature")
        for name in ("key", "newKey", "newRoot"):
            if len(signed) > 1 and name in fields:
                need(self.recover(message, signed[1]) == fields[name], "6: possession")
        need(fields["deadline"] >= event["time"], "6: deadline")
        if record == "RotateRoot":
            self.rotated.add(fields["newRoot"])
        rule = RULES.get((event["name"], record))
        need(rule is not None, "6: another act")
        for own, other, default in rule or ():
            stated = fields[other or own]
            if default and stated == 0:
                stated = event["time"] if "block" in default else OPEN
            need(event[f".{own}"] == stated, f"6: {own}")
        before = (event["place"][0], event["place"][1])
        if record == "AdmitAgency":
            return
        if event["contract"] == "AgencyRegistry":
            need(self.root_key(fields["agency"], before) == signer, "6: not the root key")
            if event["name"] == "PostRegistered":
                need(event[".post"] == keccak(fields["agency"] + fields["code"]), "6: post")
            return
        name = record if record != "Advance" else "Advance to " + {v: k for k, v in STEPS.items()}[fields["step"]]
        agency = self.may_act(fields["post"], signer, ROLES[name], before, event["time"])
        if event["name"] == "AgreementSigned":
            need((event[".party"], event[".signer"]) == (agency, signer), "6: party")
            own = [
                e
                for e in self.history("AgreementLedger", event[".agreement"].hex())
                if e["name"] == "AgreementProposed"
            ]
            earlier = [e for e in own if e["place"] < event["place"] and e[".version"] == event[".version"]]
            need(earlier and earlier[-1][".termsHash"] == fields["termsHash"], "6: terms")
        if event["name"] == "ResponsibilityAccepted" and "content" in fields:
            duty = self.key_of(event[".duty"], event[".object"])
            made = [e for e in self.history("ResponsibilityLedger", duty) if e["name"] == "ResponsibilityAssigned"]
            (proposed,) = [e for e in made if e[".assignment"] == event[".assignment"]]
            need(keccak(b"".join(proposed["topics"]) + proposed["data"]) == fields["content"], "6: content")
        if event["name"] == "CaseOpened":
            filing, leaf, index, size, path = arguments[1]
            need(self.follow(self.leaf_hash(leaf), index, size, list(path)) == filing == event[".filing"], "6: filing")
            _, group, text = json.loads(leaf)
            need(group == "respondent" and keccak(text=text) == event[".respondent"], "6: respondent")

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

    def before(self, key: bytes, before: tuple[int, int]) -> list[dict[str, Any]]:
        return [e for e in self.history("AgencyRegistry", key.hex()) if tuple(e["place"][:2]) < before]

    def root_key(self, agency: bytes, before: tuple[int, int]) -> bytes:
        keys = [e.get(".rootKey", e.get(".newRoot")) for e in self.before(agency, before)
                if e["name"] in {"AgencyAdmitted", "RootKeyChanged"}]  # fmt: skip
        return keys[-1] if keys else b""

    def may_act(self, post: bytes, key: bytes, any_of: int, before: tuple[int, int], time: int) -> bytes:
        agency, roles, spans = b"", 0, []
        for event in self.before(post, before):
            match event["name"]:
                case "PostRegistered":
                    agency, roles = event[".agency"], event[".roles"]
                case "PostRolesSet":
                    roles = event[".roles"]
                case "PostRetired":
                    raise RefusedError("post retired")
                case "KeyBound" if event[".key"] == key:
                    spans.append([max(event[".validFrom"], event["time"]), event[".validTo"]])
                case "KeyRetired" if event[".key"] == key:
                    spans[-1][1] = min(spans[-1][1], event[".at"])
        need(any(start <= time < end for start, end in spans), "key")
        capacities, suspended = 0, True
        for event in self.before(agency, before):
            match event["name"]:
                case "AgencyAdmitted" | "AgencyCapacitiesSet":
                    capacities, suspended = event[".capacities"], suspended and event["name"] != "AgencyAdmitted"
                case "AgencySuspended" | "AgencyReinstated":
                    suspended = event["name"] == "AgencySuspended"
        need(not suspended, "suspended")
        need(roles & any_of & (capacities | COMMON), "role")
        return agency

    def step7(self) -> None:
        entry = self.e["entry"]
        opened = [self.opened(name) for name in ("binding", "detail", "exchange")]
        if None in opened:
            need(entry["batch"] is None, "7: withheld")
            return
        batch = entry["batch"]
        need(batch is not None, "7: hidden")
        bound = {"block", "block_hash", "bound_agreement", "bound_grant", "bound_version", "duty", "flags",
                 "responsible_post", "verdict"}  # fmt: skip
        event = {key: value for group in opened for key, value in group.items() if key not in bound}
        digest = self.leaf_hash(rfc8785.dumps(event))
        path = [bytes.fromhex(node) for node in batch["path"]]
        fields = {
            "post": post_id(event["reporter"]),
            "agreement": bytes.fromhex(event["agreement"]) or ZERO,
            "count": batch["count"],
            "root": self.follow(digest, batch["place"], batch["count"], path),
            "nonce": int(batch["nonce"]),
            "deadline": batch["deadline"],
        }
        signer = self.recover(self.message("EventBatch", fields), bytes.fromhex(batch["signature"]))
        block = self.blocks[entry["leaf"]["block"]]
        need(batch["deadline"] >= block["time"], "7: deadline")
        any_of = ROLE_BITS["REPORTER"] | ROLE_BITS["PLATFORM_OPERATOR"]
        self.may_act(fields["post"], signer, any_of, (block["number"] + 1, 0), block["time"])
        side = event["provider"] if event["side"] == "PROVIDER" else event["requester"]
        need(event["reporter"].partition("@")[2] == side, "7: side (entrusted reporters are not in the vectors)")


def holds(evidence: bytes, root: bytes) -> bool:
    """Say whether steps 0 to 7 hold."""
    try:
        Stranger(evidence, root).run()
    except (RefusedError, ValueError, KeyError, IndexError, TypeError, rlp.exceptions.RLPException):
        return False
    return True
