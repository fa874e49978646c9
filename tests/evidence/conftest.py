"""A made ledger with an anchored event, shared by the tests that only read it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from scripts.evidence_vectors.world import World


@dataclass(frozen=True)
class Made:
    """A world, its agreement, and the evidence of one event in it."""

    world: World
    agreement: bytes
    index: int
    evidence: bytes
    root: bytes


@pytest.fixture(scope="session")
def made() -> Made:
    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    return Made(world, agreement, index, world.event_evidence(index), world.trust_root_bytes())
