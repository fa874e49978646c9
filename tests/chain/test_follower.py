"""Following: what must fit together is checked, and a reorganisation is told from a broken promise."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from ledger.chain.engine import EmbeddedChain, FinalityDepth, RemoteChain
from ledger.chain.follower import ChainFollower, check_headers, check_logs
from ledger.chain.reorganisation import Accepted, Finalized, Reorged, compare
from ledger.domain import event_decoding, events
from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.domain.keccak import keccak256
from ledger.service.following import Mark, Retreat, Stretch
from ledger.service.ports import BlockHeader, RawLog
from scripts.bench.emitter import EMITTER_INITCODE, call_of
from tests.chain.accounts import Sender
from tests.chain.behaviour import WAIT_S
from tests.chain.plain_anvil import plain_anvil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.service.ports import Chain
    from tests.chain.plain_anvil import Node

CONTRACT = b"\x01" * 20


def chain_of(count: int, branch: int = 0, parent: Mark | None = None) -> list[BlockHeader]:
    """Headers that follow each other."""
    tip = parent or Mark(9, b"\x09" * 32)
    headers = []
    for _ in range(count):
        made = keccak256(tip.hash + bytes((branch,)))
        headers.append(BlockHeader(tip.number + 1, made, tip.hash, 1_000 + tip.number))
        tip = Mark(tip.number + 1, made)
    return headers


def marks(headers: list[BlockHeader]) -> list[Mark]:
    return [Mark(header.number, header.hash) for header in headers]


def log_in(header: BlockHeader, index: int = 0, **changes: object) -> RawLog:
    log = RawLog(CONTRACT, (b"\x05" * 32,), b"", header.number, header.hash, bytes((index,)) * 32, index, index)
    return dataclasses.replace(log, **changes)  # type: ignore[arg-type]


# The comparison, case by case as the module lists them.


def test_same_blocks_are_accepted() -> None:
    held = chain_of(4)
    assert compare(marks(held), held) == Accepted()


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_another_block_is_a_reorganisation_to_the_one_below(kept: int) -> None:
    held = chain_of(4)
    tip = marks(held)[kept - 1]
    assert compare(marks(held), held[:kept] + chain_of(4 - kept, 1, tip)) == Reorged(tip)


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_shorter_chain_is_a_reorganisation_to_its_end(kept: int) -> None:
    held = chain_of(4)
    assert compare(marks(held), held[:kept]) == Reorged(marks(held)[kept - 1])


def test_another_final_block_breaks_finality() -> None:
    held, other = chain_of(4), chain_of(4, 1)
    assert compare(marks(held), other) == Finalized(marks(held)[0], other[0].hash)


def test_a_chain_that_ends_below_a_final_block_breaks_finality() -> None:
    held = marks(chain_of(2))
    assert compare(held, []) == Finalized(held[0], b"")


# What a node may not tell us.


@pytest.mark.parametrize(("final", "error"), [(20, IntegrityError), (10, UnavailableError)])
@pytest.mark.parametrize("fault", ["gap", "parent", "time", "huge"])
def test_headers_that_do_not_follow_are_refused(fault: str, final: int, error: type[Exception]) -> None:
    headers = chain_of(4)
    changes = {"gap": {"number": 13}, "parent": {"parent_hash": b"\x07" * 32}, "time": {"timestamp": 1}}
    broken = dataclasses.replace(headers[2], **changes.get(fault, {"timestamp": 2**60}))  # type: ignore[arg-type]
    check_headers(Mark(9, b"\x09" * 32), headers, final)
    with pytest.raises(error):
        check_headers(Mark(9, b"\x09" * 32), [*headers[:2], broken], final)


@pytest.mark.parametrize(("final", "error"), [(20, IntegrityError), (9, UnavailableError)])
@pytest.mark.parametrize(
    "changes",
    [
        {"block_hash": b"\x07" * 32},
        {"address": b"\x02" * 20},
        {"log_index": 1},
        {"log_index": 0},
        {"tx_index": 0},
        {"block_number": 10},
        {"block_number": 14},
        {"tx_index": 2},
    ],
)
def test_logs_that_do_not_fit_their_blocks_are_refused(
    changes: dict[str, object], final: int, error: type[Exception]
) -> None:
    headers = chain_of(4)
    logs = [
        log_in(headers[0]),
        log_in(headers[1]),
        log_in(headers[1], 1),
        log_in(headers[1], 2, tx_hash=b"\x01" * 32, tx_index=1),
    ]
    check_logs(headers, logs, frozenset({CONTRACT}), final)
    with pytest.raises(error):
        check_logs(
            headers, [*logs[:3], log_in(headers[1], 2, tx_hash=b"\x01" * 32, **({"tx_index": 1} | changes))],
            frozenset({CONTRACT}), final,
        )  # fmt: skip


# Against real nodes.


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with plain_anvil(tmp_path_factory.mktemp("home")) as node:
        yield node


def anchored(number: int) -> events.CheckpointAnchored:
    return events.CheckpointAnchored(number, bytes(32), bytes(32))


def follow(follower: ChainFollower, held: list[Mark]) -> tuple[list[Mark], list[int]]:
    """Take everything; return the new tail, with every block taken as not final, and the sizes that were logged."""
    sizes = []
    while True:
        match follower.next(held):
            case None:
                return held, sizes
            case Retreat(to):
                held = held[: held.index(to) + 1]
            case Stretch() as stretch:
                held = [*held, *(Mark(header.number, header.hash) for header in stretch.headers)]
                decoded = [event_decoding.decode_log(log.topics, log.data) for log in stretch.logs]
                sizes += [event.size for event in decoded if isinstance(event, events.CheckpointAnchored)]


def test_remote_chain_is_followed_over_rollback_and_reorganisation(node: Node) -> None:
    with RemoteChain(node.url, finality=FinalityDepth(4)) as chain:
        contract, stranger = node.deploy(), node.deploy()
        first = chain.head_block().number + 1
        follower = ChainFollower(chain, [contract], first)
        for number in (1, 2, 3):
            node.emit(contract, [anchored(number), anchored(number + 10)])
            node.emit(stranger, [anchored(99)])
            node.mine()
        held, sizes = follow(follower, [])
        assert sizes == [1, 11, 2, 12, 3, 13]
        assert follow(follower, held) == (held, [])
        node.control("anvil_rollback", 2)
        held, sizes = follow(follower, held)
        assert (held[-1].number, sizes) == (first, [])
        node.control("anvil_dropAllTransactions")
        node.emit(contract, [anchored(5)])
        node.mine()
        node.mine()
        held, sizes = follow(follower, held)
        assert (held[-1].number, sizes) == (first + 2, [5])
        replaced = held[-2:]
        node.control("anvil_reorg", 2, [])
        held, sizes = follow(follower, held)
        assert (held[-1].number, sizes) == (first + 2, [])
        assert not set(replaced) & set(held)


def test_replaced_final_block_is_an_integrity_error(node: Node) -> None:
    with RemoteChain(node.url) as chain:
        contract = node.deploy()
        for number in range(1, 6):
            node.emit(contract, [anchored(number)])
            node.mine()
        follower = ChainFollower(chain, [contract], chain.head_block().number - 3)
        stretch = follower.next([])
        assert isinstance(stretch, Stretch)
        node.control("anvil_reorg", 3, [])
        node.mine()
        with pytest.raises(IntegrityError, match="final block was replaced"):
            follower.next([stretch.tip])


def test_a_chain_is_read_in_stretches_up_to_the_block_asked_for(node: Node) -> None:
    with RemoteChain(node.url) as chain:
        contract = node.deploy()
        first = chain.head_block().number + 1
        for number in range(1, 6):
            node.emit(contract, [anchored(number)])
            node.mine()
        follower = ChainFollower(chain, [contract], first)
        stretch = follower.next([], until=first + 2)
        assert isinstance(stretch, Stretch)
        assert (stretch.parent.number, stretch.tip.number, len(stretch.logs)) == (first - 1, first + 2, 3)
        assert follower.next([stretch.tip], until=first + 2) is None
        assert follower.next([stretch.tip], until=first + 1) is None


def test_embedded_chain_is_followed_and_every_block_is_final(engine: EmbeddedChain) -> None:
    chain: Chain = engine
    sender = Sender(chain.chain_id(), 5)
    done = chain.wait_receipt(chain.submit(sender.next(to=b"", data=EMITTER_INITCODE, gas=1_000_000)), WAIT_S)
    contract = _created(sender)
    follower = ChainFollower(chain, [contract], done.block_number)
    for number in (1, 2, 3):
        call = call_of([anchored(number).to_log()])
        done = chain.wait_receipt(chain.submit(sender.next(to=contract, data=call)), WAIT_S)
        assert done.status == 1
    stretch = follower.next([])
    assert isinstance(stretch, Stretch)
    assert (stretch.final, stretch.tip.number) == (done.block_number, done.block_number)
    assert [events.CheckpointAnchored.from_log(log.topics, log.data) for log in stretch.logs] == [
        anchored(number) for number in (1, 2, 3)
    ]


def _created(sender: Sender) -> bytes:
    import rlp

    return keccak256(rlp.encode([sender.address, b""]))[12:]


def test_chain_from_genesis_is_followed(engine: EmbeddedChain, tmp_path: Path) -> None:
    stretch = ChainFollower(engine, [CONTRACT], 0).next([])
    assert isinstance(stretch, Stretch)
    assert (stretch.parent.number, stretch.headers[0].number) == (-1, 0)
