"""``quanze up``: everything in one supervised process, until Ctrl-C.

The parts start in the order in which they need each other and stop in the reverse; the HTTP server runs
in the main thread, since signals come there.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from ledger import bootstrap
from ledger.cli.commands import COMMON
from ledger.cli.local_socket import SocketServer
from ledger.cli.logs import log_service
from ledger.cli.output import console
from ledger.domain.errors import UnavailableError
from ledger.service.anchoring import OPERATOR, anchor_by_itself, observe_anchors, publish_checkpoint
from ledger.service.cadence import AnchorPace, CheckpointPace
from ledger.service.standstill import WitnessWatch
from ledger.service.supervision import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.services import Services
    from ledger.settings import Settings

_PUMP_S = 2.0
"""How often writes that nobody waits for are looked after: what the chain lost is sent again."""

_MEMORY_S = 2.0
"""How often memory that nobody uses is given back to the system."""

_SHIP_S = 0.1
"""How often a log that is published in a store of its own is looked at for a new checkpoint."""


def run_up(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        UnavailableError: The home is in use, or the port is taken.
        IntegrityError: The stores disagree.
    """
    log_service()
    bootstrap.share_heaps()
    stop = threading.Event()
    with contextlib.ExitStack() as parts:
        listener = parts.enter_context(_listen(settings))
        services = bootstrap.open_home(settings)
        parts.callback(services.close)
        parts.enter_context(_signals(stop))
        if not settings.read_only:
            services.keyring.signer(OPERATOR)  # A passphrase that opens no key is told before anybody is let in.
            parts.enter_context(_writing(services, settings))
        memory = Loop("memory", _MEMORY_S, bootstrap.give_back)
        parts.callback(memory.close)
        index = Loop("index", settings.index_interval_ms / 1000, services.indexing.catch_up)
        parts.callback(index.close)
        services.is_up = True
        server = SocketServer(services.home.socket, services)
        parts.callback(server.close)
        _announce(services, listener)
        _serve(services, listener, stop)


@contextlib.contextmanager
def _writing(services: Services, settings: Settings) -> Iterator[None]:
    """Publish, anchor and look after what is pending, while the block lasts."""
    with contextlib.ExitStack() as parts:
        pace = CheckpointPace(services.frontiers, settings.checkpoint_interval_ms / 1000)
        watch = WitnessWatch(services)
        checkpoints = Loop("checkpoint", pace, lambda: _publish(services, watch))
        parts.callback(checkpoints.close)
        ships = Loop("log-store", _SHIP_S, services.published.ship)
        parts.callback(ships.close)
        cadence = AnchorPace(
            services.frontiers, every_events=settings.anchor_every_events, max_age_s=settings.anchor_max_age_s
        )
        anchors = Loop("anchor", cadence, lambda: anchor_by_itself(services))
        parts.callback(anchors.close)
        pending = Loop("outbox", _PUMP_S, lambda: _look_after(services))
        parts.callback(pending.close)
        yield


def _publish(services: Services, watch: WitnessWatch) -> None:
    """Publish a checkpoint, and tell what the witnesses say against it."""
    try:
        publish_checkpoint(services)
    finally:
        watch.look()


def _look_after(services: Services) -> None:
    """Send again what the chain lost, and tell how far it has anchored the log."""
    services.outbox.pump()
    observe_anchors(services)


@contextlib.contextmanager
def _listen(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before the slow start, so that a taken one is told at once."""
    try:
        listener = socket.create_server((settings.host, settings.port))
    except OSError as error:
        raise UnavailableError("port", f"{settings.host}:{settings.port}: {error.strerror}") from error
    with listener:
        yield listener


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _announce(services: Services, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    up = {
        "event": "up",
        "address": f"http://{host}:{port}/",
        "home": str(services.home.path),
        "chain_id": services.deployment.chain_id,
        "block": services.state.final.number,
        "log_size": services.log.size(),
    }
    if COMMON.get().json or not sys.stdout.isatty():
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        return
    out = console()
    out.print(f"quanze is up at {up['address']}  (Ctrl-C stops it)")
    out.print(f"  home {up['home']}, chain {up['chain_id']}, block {up['block']}, log size {up['log_size']}")


def _serve(services: Services, listener: socket.socket, stop: threading.Event) -> None:
    # Found by name, since only this verb needs the API and the server: the others start in half the time without them.
    app = importlib.import_module("api.app").create_app(services)
    uvicorn = importlib.import_module("uvicorn")
    config = uvicorn.Config(
        app,
        http=importlib.import_module("api.connection").Connection,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # Signals stay with `_signals`, which stops every part.

    def watch() -> None:
        stop.wait()
        services.frontiers.close()  # Streams end by themselves; the server would wait for them.
        server.should_exit = True

    threading.Thread(target=watch, name="stop", daemon=True).start()
    server.run(sockets=[listener])
    stop.set()
