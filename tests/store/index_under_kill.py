"""A process that writes an index until it is killed: ``python -m tests.store.index_under_kill``.

It reads one order a line, ``{"path", "from", "kill_at"}``, forks a child for it that does the steps from that one
on and kills itself with SIGKILL at the so-many-th statement or commit, and answers with how many steps were
acknowledged before the end, and whether the child was killed.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ledger.service.following import LeafMark, Mark
from ledger.store.sql_index import SQLIndex
from tests.store.factories import fact
from tests.store.synthetic import CONTRACTS, START, block_of, stretch_of
from tests.store.world import World

if TYPE_CHECKING:
    from collections.abc import Callable


@functools.cache
def steps() -> list[Callable[[SQLIndex], None]]:
    """What is done to an index, in order: stretches, facts, a reorganisation, and more of both."""
    world, blocks = World(random.Random(11)), list[Any]()

    def grown(count: int, parent: Mark, world: World) -> list[Any]:
        made = []
        for _ in range(count):
            some = world.block(10)
            made.append(block_of(parent, world.time, some))
            parent = Mark(made[-1][0].number, made[-1][0].hash)
        return made

    blocks = grown(3, START, world)
    third = Mark(blocks[2][0].number, blocks[2][0].hash)
    kept = world.copy(random.Random(1))
    lost = grown(2, third, world)
    replaced = grown(3, third, kept)
    facts = [fact(number, stream=bytes((number % 3,)) * 32) for number in range(9)]

    def apply(parent: Mark, some: list[Any]) -> Callable[[SQLIndex], None]:
        return lambda index: index.apply(stretch_of(parent, some, 10))

    def add(first: int, last: int) -> Callable[[SQLIndex], None]:
        return lambda index: index.add_facts(facts[first:last], LeafMark(last, bytes((last,)) * 32))

    return [
        apply(START, blocks[:2]),
        add(0, 4),
        apply(Mark(blocks[1][0].number, blocks[1][0].hash), blocks[2:]),
        apply(third, lost),
        add(4, 9),
        lambda index: index.retreat(third),
        apply(third, replaced),
    ]


def live(path: Path, first: int, kill_at: int, told: int) -> None:
    """Do the steps from ``first`` on; die at the ``kill_at``-th statement or commit."""
    index = SQLIndex.open(path, CONTRACTS)
    done = 0

    def count(*_anything: object) -> None:
        nonlocal done
        done += 1
        if done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = index.database._writer
    sa.event.listen(engine, "before_cursor_execute", count)
    sa.event.listen(engine, "commit", count)
    for step in steps()[first:]:
        step(index)
        os.write(told, b".")
    index.close()


def main() -> None:
    steps()  # Once, and not in every child.
    for line in sys.stdin:
        order = json.loads(line)
        receiving, telling = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receiving)
            live(Path(order["path"]), order["from"], order["kill_at"], telling)
            os._exit(0)
        os.close(telling)
        acknowledged = b""
        while read := os.read(receiving, 100):
            acknowledged += read
        os.close(receiving)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status):
            sys.exit("the child failed")
        print(json.dumps({"acknowledged": len(acknowledged), "killed": killed}), flush=True)


if __name__ == "__main__":
    main()
