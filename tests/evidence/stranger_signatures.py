"""The stranger's step 6, second half: each event's signature, and that its signer might act then."""

from __future__ import annotations

import json
from typing import Any

import rlp
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from tests.evidence.stranger_chain import (
    COMMON,
    CONTRACTS,
    FUNCTIONS,
    OPEN,
    REGISTRARS,
    ROLES,
    RULES,
    STEPS,
    STRUCTS,
    ChainReader,
    RefusedError,
    need,
)


class SignatureReader(ChainReader):
    """Histories, and what was signed for each event in them."""

    def key_of(self, *words: bytes | int) -> str:
        return keccak(b"".join(w if isinstance(w, bytes) else w.to_bytes(32, "big") for w in words)).hex()

    def history(self, contract: str, key: str) -> list[dict[str, Any]]:
        for history in self.e["histories"]:
            if (history["contract"], history["key"]) == (contract, key):
                return [self.event(place) for place in history["events"]]
        return []

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
