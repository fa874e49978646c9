"""The tamper drill in short: a flip in every column of every table, in every class of file and in evidence is told.

The long run is ``python -m scripts.tamper_drill``; docs/adr/0106 has its counts.
"""

from __future__ import annotations

import os

from scripts.tamper_drill import DATABASES, FILES, made_home, run

FLIPS = int(os.environ.get("QUANZE_TEST_FLIPS", "1"))


def test_every_flip_is_told() -> None:
    with made_home(300) as drill:
        assert drill.whole() == ""
        drill.random.seed(20261124)
        run(drill, FLIPS, fields=25)
        assert drill.whole() == ""
    assert {name: tally.missed for name, tally in drill.tallies.items() if tally.missed} == {}
    classes = set(drill.tallies)
    assert {name.partition(":")[0] for name in classes} >= {*DATABASES, "evidence"}
    assert set(FILES) - classes <= {"chain: snapshots"}  # The engine writes one after a longer while.
    assert sum(tally.flips for tally in drill.tallies.values()) > 300
