"""A verifier of steps 0 to 7 that a stranger might write: from docs/spec alone, with other people's libraries.

It shares no code with ours. Its tables are read out of the pages: functions, rules and roles of evidence-v1.md, type
strings of typed-data.md. It says only whether the steps hold.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import rfc8785
import rlp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tests.evidence.stranger_chain import DUTIES, ROLE_BITS, ZERO, RefusedError, need, post_id
from tests.evidence.stranger_signatures import SignatureReader


class Stranger(SignatureReader):
    """One verification."""

    has_read = False

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
            except (InvalidSignature, ValueError) as error:
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
        if self.has_read:
            return
        self.has_read = True
        used: dict[int, set[int]] = {}
        for history in self.e["histories"]:
            for number, transaction, _ in history["events"]:
                used.setdefault(number, set()).add(transaction)
        for entry in self.entries:
            number, transaction, _ = entry["anchor"]
            used.setdefault(number, set()).add(transaction)
            used.setdefault(entry["leaf"]["block"], set())
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

    def bindings(self) -> list[Any]:
        groups = [group for entry in self.entries for group in entry["groups"]]
        return [group[2] for group in groups if isinstance(group, list) and group[1] == "binding"]

    def relied_on(self, binding: Any) -> list[tuple[str, str]]:
        if not binding["agreement"]:
            return []
        about = bytes.fromhex(binding["agreement"])
        duties = (DUTIES[binding["duty"]], DUTIES["RECORD"])
        return [("AgreementLedger", about.hex()), *(("ResponsibilityLedger", self.key_of(d, about)) for d in duties)]

    def base(self) -> list[tuple[str, str]]:
        kind, subject = self.e["kind"], self.e["subject"]
        if kind in {"event", "events", "stream"}:
            return list(dict.fromkeys(key for binding in self.bindings() for key in self.relied_on(binding)))
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

    def step6(self) -> None:
        base = self.base()
        posts = {}
        for binding in self.bindings():
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
        for document in self.e.get("documents", []):
            need(self.commitment(document) in committed, "1: document")
        state = self.e["state"]
        named = [place[0] for h in self.e["histories"] for place in h["events"]]
        for entry in self.entries:
            named += [entry["leaf"]["block"], entry["anchor"][0]]
        need(state["block"] >= max(named, default=0), "6: old state")
        contracts = sorted(
            {h["contract"] for h in self.e["histories"]} | ({"CheckpointAnchor"} if self.entries else set())
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
