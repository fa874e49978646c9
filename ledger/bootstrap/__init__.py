"""The only place that knows concrete classes: settings in, open services out.

    services = open_home(read_settings())
    try:
        services.dispatch("status", {})
    finally:
        services.close()

``open_home`` takes the home's lock, opens every store, and refuses to serve when they disagree:
a chain behind the highest bound block, a log behind its last anchor, events or a vault behind the log.
"""

from ledger.bootstrap.allocation import give_back, share_heaps
from ledger.bootstrap.making import init_home, restore_home
from ledger.bootstrap.opaque import has_sealed_log_key, open_opaque, public_log_key
from ledger.bootstrap.opening import open_home
from ledger.bootstrap.parts import read_settings
from ledger.bootstrap.reading import stream_gaps
from ledger.bootstrap.rotating import rotate_log_key
from ledger.bootstrap.witness import init_witness, open_witness, witness_key

__all__ = [
    "give_back",
    "has_sealed_log_key",
    "init_home",
    "init_witness",
    "open_home",
    "open_opaque",
    "open_witness",
    "public_log_key",
    "read_settings",
    "restore_home",
    "rotate_log_key",
    "share_heaps",
    "stream_gaps",
    "witness_key",
]
