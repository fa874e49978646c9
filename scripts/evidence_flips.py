"""Alter each byte of evidence of many events, one at a time, and see that every altered file is refused.

Run with ``python -m scripts.evidence_flips [--file NAME] [--every N] [--events 50] [--seed N]``. The files are of a
made ledger (`scripts.evidence_vectors.world`): two streams in eight batches under four checkpoints, as events and as a
stream, whole and with groups withheld. Each byte is altered twice: to another character of its own kind where it is a
letter or digit, so that the file stays canonical as often as may be, and by a random bit pattern. A byte that could
change without a step failing would mean nothing, and must not exist. docs/adr/0128 has the counts of the last run.
"""

from __future__ import annotations

import random
import sys
from argparse import ArgumentParser
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from ledger.domain.event_groups import GROUPS
from ledger.domain.scalars import ZERO32
from ledger.evidence import verify
from scripts.evidence_vectors.names import GATEWAY
from scripts.evidence_vectors.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EVENTS: Final = 50
SEED: Final = 20261124
_ROUNDS: Final = 4
_ASIDE: Final = 4
"""Events of another stream between two batches of the first."""
_PIECE: Final = 512
_KINDS: Final = (b"0123456789", b"abcdef", b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass
class Flips:
    """What became of altered files."""

    tried: int = 0
    steps: Counter[int] = field(default_factory=Counter)
    held: list[tuple[int, int]] = field(default_factory=list)
    """Place and new byte of each that was accepted, or refused for a reason that nobody foresaw."""

    def add(self, other: Flips) -> None:
        """Count what another process found."""
        self.tried += other.tried
        self.steps += other.steps
        self.held += other.held

    def told(self) -> str:
        """Return the counts in words."""
        steps = ", ".join(f"step {step}: {count:,}" for step, count in sorted(self.steps.items()))
        return f"{self.tried:,} altered files, {len(self.held)} accepted; refused in {steps}"


def made_files(events: int) -> tuple[Mapping[str, bytes], bytes]:
    """Return files of this many events each by name, and the trust root; of each batch some are left out."""
    world = World(witnesses=1)
    agreement = world.agree()
    stream: list[int] = []
    count = events // _ROUNDS + 1
    for _ in range(_ROUNDS):
        begins = world.report(agreement, count=count) - 1
        stream += range(begins, begins + count)
        world.report(ZERO32, count=_ASIDE)
        world.anchor()
    some = [index for index in range(stream[-1] + _ASIDE) if index % 4 != 1][:events]
    own = stream[1 : events + 1]
    claim = {"agreement": agreement.hex(), "first": "1", "last": str(len(own)), "reporter": GATEWAY}
    files = {"events": world.events_evidence(some), "stream": world.events_evidence(own, claim)}
    for shown in (("binding",), ("exchange",)):
        told = " and ".join(name for name in GROUPS if name not in shown)
        files[f"events, {told} withheld"] = world.events_evidence(some, None, shown)
        files[f"stream, {told} withheld"] = world.events_evidence(own, claim, shown)
    return files, world.trust_root_bytes()


def altered_bytes(data: bytes, places: Sequence[int], seed: int) -> Iterator[tuple[int, int]]:
    """Yield places, each with a byte that is not there: one of the same kind where it has one, and one at random."""
    for place in places:
        drawn = random.Random(f"{seed} {place}")  # noqa: S311 - it keeps no secret, and must repeat.
        byte = data[place]
        others = {other for kind in _KINDS if byte in kind for other in kind[:16]} - {byte}
        near = drawn.choice(sorted(others)) if others else byte ^ 1
        yield place, near
        yield place, drawn.choice([byte ^ bits for bits in range(1, 256) if byte ^ bits != near])


def try_places(data: bytes, root: bytes, seed: int, places: Sequence[int]) -> Flips:
    """Alter the bytes at some places of a file, and verify each altered file."""
    found = Flips()
    for place, byte in altered_bytes(data, places, seed):
        report = verify(data[:place] + bytes((byte,)) + data[place + 1 :], root)
        found.tried += 1
        if report.failed is None or report.failed.reason.startswith("unexpected"):
            found.held.append((place, byte))
        else:
            found.steps[report.failed.number] += 1
    return found


def main(arguments: list[str] | None = None) -> int:
    """Alter every byte of every file; return 1 if an altered file was accepted."""
    parser = ArgumentParser(prog="python -m scripts.evidence_flips", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=EVENTS, help="how many events a file has")
    parser.add_argument("--every", type=int, default=1, help="alter one byte in so many only")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--file", help="only the file of this name")
    options = parser.parse_args(arguments)
    files, root = made_files(options.events)
    if options.file is not None:
        files = {options.file: files[options.file]}
    accepted = 0
    with ProcessPoolExecutor() as pool:
        for name, data in files.items():
            if not verify(data, root).holds:
                raise RuntimeError(f"the evidence of {name} does not hold as it was made")
            places = range(0, len(data), options.every)
            pieces = [places[begin : begin + _PIECE] for begin in range(0, len(places), _PIECE)]
            found = Flips()
            for piece in pool.map(partial(try_places, data, root, options.seed), pieces):
                found.add(piece)
            accepted += len(found.held)
            print(f"{name} ({len(data):,} bytes): {found.told()}", flush=True)
            for place, byte in found.held:
                print(f"  byte {place}, {data[place]:#04x} as {byte:#04x}: {data[max(0, place - 40) : place + 40]!r}")
    return 1 if accepted else 0


if __name__ == "__main__":
    sys.exit(main())
