"""A verifier of steps 0 to 7 that a stranger might write: from docs/spec alone, with other people's libraries.

It shares no code with ours. Its tables are read out of the pages: functions, rules and roles of evidence-v1.md, type
strings of typed-data.md. It says only whether the steps hold.
"""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any

import rfc8785
import rlp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_abi.abi import decode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tests.evidence.stranger_chain import (
    COMMON,
    CONTRACTS,
    DUTIES,
    FUNCTIONS,
    OPEN,
    REGISTRARS,
    ROLE_BITS,
    ROLES,
    RULES,
    STEPS,
    STRUCTS,
    ZERO,
    ChainReader,
    RefusedError,
    need,
    post_id,
)


class Stranger(ChainReader):
    """One verification."""

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
        log_keys = [self.r["log"]["vkey"], *(k["vkey"] for k in self.r["log"]["former"] if int(size) <= k["until"])]
        eras = [era for era in self.r["witnesses"] if era["since"] <= int(size)]
        era = eras[-1] if eras else {"keys": [], "threshold": 0}
        named = {}  # (name, the line's four bytes) -> (whose, kind, key)
        for whose, vkeys in (("log", log_keys), ("witness", era["keys"])):
            for vkey in vkeys:
                name, _, material = vkey.split("+", 2)
                raw = base64.b64decode(material)
                for kind in {raw[0], 4}:
                    key_id = sha256(name.encode() + b"\n" + bytes([kind]) + raw[1:]).digest()[:4]
                    named[name, key_id] = (whose, kind, raw[1:])
        signed = []
        for line in lines.rstrip("\n").split("\n"):
            _, name, encoded = line.split(" ")
            raw = base64.b64decode(encoded)
            need((name, raw[:4]) in named, "3: stranger")
            whose, kind, key = named.pop((name, raw[:4]))
            message, value = (text + "\n").encode(), raw[4:]
            if kind == 4:
                time, value = int.from_bytes(value[:8], "big"), value[8:]
                message = b"cosignature/v1\ntime %d\n" % time + message
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(value, message)
            except Exception as error:
                raise RefusedError("3: signature") from error
            signed.append((whose, kind))
        need(("log", 1) in signed, "3: log")
        need(signed.count(("witness", 4)) >= era["threshold"], "3: witnesses")

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
        self.rotated: set[tuple[str, Any]] = set()
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
            put = [e for e in events if e["name"] in {"AgencyAdmitted", "RootKeyChanged"}]
            held = [e.get(".rootKey", e.get(".newRoot")) for e in put]
            if held:
                trusted = [bytes.fromhex(key) for key in self.r["agencies"].get(history["key"], [])]
                shared = min(len(held), len(trusted))
                need(trusted and held[:shared] == trusted[:shared], "6: root key")
                signed = [(history["key"], e["place"]) in self.rotated for e in put[shared:]]
                need(all(signed), "6: registrar's root key")

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
            self.rotated.add((fields["agency"].hex(), event["place"]))
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
        need(0 <= batch["deadline"] - block["time"] <= 3600, "7: deadline")
        any_of = ROLE_BITS["REPORTER"] | ROLE_BITS["PLATFORM_OPERATOR"]
        self.may_act(fields["post"], signer, any_of, (block["number"] + 1, 0), block["time"])
        side = event["provider"] if event["side"] == "PROVIDER" else event["requester"]
        need(side in {"", event["reporter"].partition("@")[2]}, "7: side (entrusted reporters are not in the vectors)")


def holds(evidence: bytes, root: bytes) -> bool:
    """Say whether steps 0 to 7 hold."""
    try:
        Stranger(evidence, root).run()
    except (RefusedError, ValueError, KeyError, IndexError, TypeError, rlp.exceptions.RLPException):
        return False
    return True
