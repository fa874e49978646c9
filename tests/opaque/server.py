"""The plain log in a process of its own: the command's, or one with other limits."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from api.opaque import Limits, serve
from ledger import bootstrap
from ledger.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
QUANZE = Path(sys.prefix) / "bin" / "quanze"


@dataclass
class Running:
    """A server, where it listens and what its checkpoints verify with."""

    process: subprocess.Popen[bytes]
    port: int
    vkey: str
    size: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def limit_files(self, size_bytes: int) -> None:
        """Let no file of the server grow beyond a size, as a full disk would not."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))


def environment(home: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUANZE_")}
    return {**kept, "QUANZE_HOME": str(home), **(settings or {})}


@contextlib.contextmanager
def running(home: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Run ``quanze log serve --opaque`` while the block lasts, and check that it stops cleanly unless it was killed."""
    command = [str(QUANZE), "log", "serve", "--opaque", "--json", "--listen", "127.0.0.1:0", *arguments]
    with _started(command, environment(home, settings)) as server:
        yield server


@contextlib.contextmanager
def running_with(home: Path, **limits: float) -> Iterator[Running]:
    """Run the same server with limits of the test's."""
    command = [sys.executable, "-m", "tests.opaque.server", json.dumps(limits)]
    with _started(command, environment(home)) as server:
        yield server


@contextlib.contextmanager
def _started(command: list[str], variables: Mapping[str, str]) -> Iterator[Running]:
    process = subprocess.Popen(command, env=dict(variables), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        line = process.stdout.readline()
        try:
            assert line, process.stderr.read().decode()
            up = json.loads(line)
            port = int(up["address"].rstrip("/").rpartition(":")[2])
            yield Running(process, port, up["vkey"], up["log_size"])
        finally:
            process.send_signal(signal.SIGTERM)
            told = process.stderr.read().decode()
            code = process.wait(30)
    assert code in {0, -signal.SIGKILL}, told
    assert "Traceback" not in told, told


def main() -> None:
    home = bootstrap.open_opaque(Settings())
    with contextlib.closing(home), socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        up = {"address": address, "vkey": home.vkey, "log_size": home.log.size()}
        serve(
            home.log,
            home.fetcher,
            listener,
            checkpoint_interval_s=0.1,
            limits=Limits(**json.loads(sys.argv[1])),
            announce=lambda: print(json.dumps(up), flush=True),
        )


if __name__ == "__main__":
    main()
