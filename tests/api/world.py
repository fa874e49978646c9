"""A small ledger for the API's tests: three agencies, an agreement in force, events, a sealed case and an open one.

It is made by the use-cases themselves on a real engine; nothing here stands in for a part.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from api.app import create_app
from api.connection import Connection
from ledger import bootstrap
from ledger.domain.event_v1 import complete_event, to_object
from ledger.domain.typed_data import digest
from ledger.service.event_appending import append_signed_batch
from ledger.service.event_batches import SignedBatch, place_events, sign_batch
from ledger.service.signed_reads import sign_read
from ledger.service.signed_requests import record_of
from ledger.service.submission import domain_of, fresh_nonce
from ledger.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ledger.domain.record import Record
    from ledger.service.services import Services

PROVIDER = "ods:P01"
REQUESTER = "ods:R01"
AUTHORITY = "ods:Z01"
STRANGER = "ods:S01"
DATASET = f"{PROVIDER}#POPULATION"
UNSHARED = f"{PROVIDER}#SECRET"
PURPOSE = "dpv:PublicHealth"
REFERENCE = "DSA-001"


def post(name: str, agency: str) -> str:
    return f"{name}@{agency}"


POSTS: Mapping[str, tuple[str, list[str]]] = {
    "head-p": (post("office-head", PROVIDER), ["PROVIDER_OFFICE_HEAD"]),
    "dept-p": (post("dept-head", PROVIDER), ["DEPT_HEAD"]),
    "reporter-p": (post("gateway", PROVIDER), ["REPORTER"]),
    "head-r": (post("office-head", REQUESTER), ["REQUESTER_OFFICE_HEAD"]),
    "dept-r": (post("dept-head", REQUESTER), ["DEPT_HEAD"]),
    "reporter-r": (post("gateway", REQUESTER), ["REPORTER"]),
    "authority": (post("authority", AUTHORITY), ["SHARING_AUTHORITY"]),
    "inspector": (post("inspector", AUTHORITY), ["INSPECTOR"]),
    "reviewer": (post("reviewer", AUTHORITY), ["REVIEWER"]),
    "assessor": (post("assessor", AUTHORITY), ["ASSESSOR"]),
    "superior": (post("superior", AUTHORITY), ["SUPERIOR"]),
    "platform": (post("operator", AUTHORITY), ["PLATFORM_OPERATOR"]),
    "stranger": (post("clerk", STRANGER), ["REPORTER"]),
}
"""Key name → its post and what the post may do: one post for each role, and one of an agency that has no part."""

DRAFT = {
    "format": "quanze-agreement-draft-v1",
    "reference": REFERENCE,
    "provider": PROVIDER,
    "parties": [{"agency": PROVIDER, "role": "PROVIDER"}, {"agency": REQUESTER, "role": "REQUESTER"}],
    "grants": [
        {
            "dataset": DATASET,
            "version": 1,
            "recipient": REQUESTER,
            "purpose": PURPOSE,
            "delivery": "INTERFACE",
            "starts": "2020-01-01",
            "ends": None,
        }
    ],
    "title": "Population data",
    "legal_bases": ["law:Decree-809"],
}


@dataclass(slots=True)
class World:
    """The open services with what was made in them."""

    services: Services
    agreement: str = ""
    sealed_case: str = ""
    open_case: str = ""
    assignment: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)

    def do(self, verb: str, **arguments: object) -> Any:
        return self.services.dispatch(verb, arguments)

    def signer(self, key: str) -> Any:
        return self.services.keyring.signer(key)

    def signed(self, kind: type[Record], key: str, /, **fields: object) -> dict[str, Any]:
        """Return the body of POST /v1/requests for a record, signed by a key of the test."""
        message = {"nonce": str(fresh_nonce()), "deadline": str(self.services.now_s() + 600), **fields}
        record = record_of(kind, message, "message")
        signed = digest(domain_of(self.services.deployment, kind), record)
        signer = self.signer(key)
        return {
            "type": kind.__name__,
            "message": message,
            "signer": "0x" + signer.address.hex(),
            "signature": "0x" + signer.sign_digest(signed).hex(),
        }

    def batch(self, key: str, *changes: Mapping[str, Any], deadline: int | None = None) -> SignedBatch:
        """Return a batch of a reporter's next events, each differing from the usual as told."""
        reporter = POSTS[key][0]
        events = [event_of(reporter, {"agreement": self.agreement, **change}) for change in changes]
        stream = self.services.intake.stream(reporter, events[0].agreement)
        placed = place_events(events, next_seq=stream.next_seq, prev_hash=stream.last_event)
        until = self.services.now_s() + 600 if deadline is None else deadline
        return sign_batch(self.services.deployment, self.signer(key), placed, deadline=until)

    def append(self, key: str, *changes: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Append a reporter's next events and return their receipts."""
        receipts = append_signed_batch(self.services, self.batch(key, *changes))
        self.events += receipts
        return receipts

    def authorization(self, key: str, target: str, *, deadline: int | None = None) -> dict[str, str]:
        """Return the header with which a key's post reads ``target``."""
        until = self.services.now_s() + 600 if deadline is None else deadline
        header = sign_read(
            self.services.deployment, self.signer(key), POSTS[key][0], f"GET {target}".encode(), deadline=until
        )
        return {"Authorization": header}


_numbers = iter(range(10**9))


def event_of(reporter: str, changes: Mapping[str, Any]) -> Any:
    number = next(_numbers)
    usual = {
        "id": f"exchange-{number}",
        "kind": "DELIVERY",
        "side": "PROVIDER",
        "occurred_at_ms": int(time.time() * 1000) - 1000,
        "provider": PROVIDER,
        "requester": REQUESTER,
        "version": 1,
        "grant": 0,
        "dataset": DATASET,
        "purpose": PURPOSE,
        "delivery": "INTERFACE",
        "recipient": REQUESTER,
        "outcome": "SUCCEEDED",
        "correlation": f"corr-{number}",
    }
    return complete_event({**usual, **changes}, reporter=reporter)


def body_of(batch: SignedBatch) -> dict[str, Any]:
    """Return the body of POST /v1/events for a batch."""
    return {
        "reporter": batch.reporter,
        "agreement": batch.agreement,
        "events": [to_object(event) for event in batch.events],
        "nonce": str(batch.nonce),
        "deadline": batch.deadline,
        "signer": "0x" + batch.signer.hex(),
        "signature": "0x" + batch.signature.hex(),
    }


def make_world(home: Path, *, demonstration: bool = False, **changes: object) -> World:
    """Make a home and everything in it."""
    settings = Settings(
        home=home,
        passphrase="test",  # type: ignore[arg-type]  # Settings make it a secret.
        keystore_scrypt_n=2,
        block_time_lead_max_s=3600,  # Blocks come as fast as they can be made; their times run ahead.
    ).model_copy(update=changes)
    bootstrap.init_home(settings, demonstration=demonstration)
    world = World(bootstrap.open_home(settings))
    try:
        _fill(world)
    except BaseException:  # Interrupted too: its lock and its node must not outlive it.
        world.services.close()
        raise
    return world


def _fill(world: World) -> None:
    capacities = ["SHARING_AUTHORITY", "INSPECTOR", "REVIEWER", "ASSESSOR", "SUPERIOR", "PLATFORM_OPERATOR"]
    for agency, name in ((PROVIDER, "Provider"), (REQUESTER, "Requester"), (STRANGER, "Stranger")):
        world.do("agency.add", agency=agency, name_en=name)
    world.do("agency.add", agency=AUTHORITY, name_en="Authority", name_zh="主管部门", capacities=capacities)
    for key, (name, roles) in POSTS.items():
        world.do("key.new", name=key)
        world.do("post.add", post=name, roles=roles, name_en=key, key=key)
    dept = POSTS["dept-p"][0]
    world.do("catalogue.add", dataset=DATASET, post=dept, name_en="Population")
    world.do("catalogue.add", dataset=UNSHARED, post=dept, name_en="Secret", attribute="NOT_SHARED", law="law:Secrets")
    world.agreement = world.do("agreement.draft", text=json.dumps(DRAFT), post=POSTS["head-p"][0])["agreement"]
    for key in ("head-p", "head-r"):
        world.do("agreement.sign", agreement=world.agreement, post=POSTS[key][0])
    made = world.do(
        "responsibility.assign",
        duty="DELIVER",
        object=world.agreement,
        assignee=POSTS["dept-p"][0],
        post=POSTS["head-p"][0],
    )
    world.assignment = made["assignment"]
    world.do("responsibility.accept", assignment=world.assignment)
    world.sealed_case = _case(world, reference="SEALED-7", steps=["case.tell"])
    world.open_case = _case(world, reference="OPEN-8", steps=["case.tell", "case.decide", "case.notify"])


def _case(world: World, *, reference: str, steps: list[str]) -> str:
    inspector, authority = POSTS["inspector"][0], POSTS["authority"][0]
    filed = world.do(
        "case.file",
        respondent=REQUESTER,
        post=inspector,
        violations=["decree809:R6"],
        reference=reference,
        text="the sealed facts",
    )
    case: str = filed["case"]
    for step in steps:
        match step:
            case "case.decide":
                world.do(step, case=case, post=authority, measures=["ORDER_TO_CORRECT"], text="the decision's text")
            case "case.notify":
                world.do(step, case=case, post=authority, text="a notice that anyone may read")
            case _:
                world.do(step, case=case, post=inspector, text="what the respondent was told")
    return case


@contextlib.contextmanager
def serving(services: Services) -> Iterator[str]:
    """Serve over real HTTP on a free port of the loopback; yield the address."""
    config = uvicorn.Config(
        create_app(services), http=Connection, host="127.0.0.1", port=0, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    started = threading.Event()
    thread = threading.Thread(target=_run, args=(server, started), name="api")
    thread.start()
    try:
        assert started.wait(30)
        (listener,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def _run(server: uvicorn.Server, started: threading.Event) -> None:
    startup = server.startup

    async def announced(sockets: Any = None) -> None:
        await startup(sockets)
        started.set()

    server.startup = announced  # type: ignore[method-assign]  # The server tells nobody when it listens.
    server.run()


def sealed_traces(world: World) -> list[str]:
    """Return what must stand in no public answer: the sealed case's id, reference and texts."""
    state = world.services.state.history("CaseLedger", bytes.fromhex(world.sealed_case))
    commitments = [recorded.event.commitment.hex() for recorded in state if hasattr(recorded.event, "commitment")]
    return [world.sealed_case, "SEALED-7", "the sealed facts", *commitments]


def client(address: str) -> httpx.Client:
    return httpx.Client(base_url=address, timeout=60)
