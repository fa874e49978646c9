"""Stretches of blocks for the index, with the logs that a world's events make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.event_decoding import EVENTS
from ledger.domain.keccak import keccak256
from ledger.service.following import Mark, Stretch
from ledger.service.ports import BlockHeader, RawLog
from tests.store.world import CONTRACT_OF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_log import Event
    from tests.store.world import World

Block = tuple[BlockHeader, tuple[RawLog, ...]]
FINAL = 10**6
"""A number above every block's: all are final."""
CONTRACTS = {name: bytes((number,)) * 20 for number, name in enumerate(EVENTS, 1)}
START = Mark(9, b"\x09" * 32)


def block_of(parent: Mark, time: int, made: Sequence[Event]) -> tuple[BlockHeader, tuple[RawLog, ...]]:
    """A block with each event in a transaction of its own; its hash follows from all of it."""
    logs = [event.to_log() for event in made]
    number = parent.number + 1
    seen = b"".join(b"".join(topics) + data for topics, data in logs)
    header = BlockHeader(number, keccak256(parent.hash + time.to_bytes(8, "big") + seen), parent.hash, time)
    return header, tuple(
        RawLog(
            CONTRACTS[CONTRACT_OF[type(event)]], topics, data, number, header.hash,
            keccak256(header.hash + bytes((place,))), place, place,
        )
        for place, (event, (topics, data)) in enumerate(zip(made, logs, strict=True))
    )  # fmt: skip


def stretch_of(parent: Mark, blocks: Sequence[tuple[BlockHeader, tuple[RawLog, ...]]], final: int) -> Stretch:
    headers = tuple(header for header, _ in blocks)
    return Stretch(parent, headers, tuple(log for _, logs in blocks for log in logs), final)


def mark(block: Block) -> Mark:
    return Mark(block[0].number, block[0].hash)


def grow(world: World, parent: Mark, blocks: int, events_each: int = 12) -> list[Block]:
    made: list[Block] = []
    for _ in range(blocks):
        some = world.block(events_each)
        made.append(block_of(parent, world.time, some))
        parent = mark(made[-1])
    return made
