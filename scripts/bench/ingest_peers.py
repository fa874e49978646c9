"""The peers that ingest is measured against: immudb's server, and Tessera's POSIX log under its own load generator."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from ledger.log.note import Ed25519Signer
from ledger.log.plain_key import print_plain_key
from scripts.bench.ingest_clients import Run
from scripts.bench.ingest_ledger import Memory, memory_of_group

_LOAD: Final = Path(__file__).with_name("peers") / "immudb_load.py"
_START_S: Final = 30.0
_NAME: Final = "bench.invalid/log"


class Immudb:
    """An immudb server at its default durability, started by us or running already."""

    def __init__(self, python: Path, *, address: str = "", program: Path | None = None, folder: Path) -> None:
        self._python = python
        self._first = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.address = address
        if program is not None:
            port = free_port()
            self.address = f"127.0.0.1:{port}"
            command = [
                str(program), "--dir", str(folder / "immudb"), "--address", "127.0.0.1", "--port", str(port),
                "--pgsql-server=false", "--metrics-server=false", "--web-server=false",
            ]  # fmt: skip
            self._process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder
            )
            wait_for_port(port)

    def run(self, clients: int, batch: int, batches: int, size: int) -> Run:
        """Send new values and return what it took."""
        self._first += 1
        numbers = (clients, batch, batches, size, self._first)
        command = [str(self._python), str(_LOAD), self.address, *map(str, numbers)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the load of immudb failed:\n{done.stderr[-2000:]}")
        told = json.loads(done.stdout)
        return Run(told["events"], told["seconds"], told["times"])

    def pause(self, *, is_paused: bool) -> None:
        """Stop or continue it, if it is ours."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGSTOP if is_paused else signal.SIGCONT)

    def memory(self) -> Memory | None:
        """Return its memory, if it is ours."""
        return None if self._process is None else memory_of_group(self._process.pid)

    def close(self) -> None:
        """Stop it, if it is ours."""
        stop(self._process)


class Tessera:
    """A POSIX log of Tessera, of one entry a request, driven by its own load generator."""

    def __init__(self, program: Path, hammer: Path, folder: Path) -> None:
        self._hammer = hammer
        seed = secrets.token_bytes(32)
        key = folder / "tessera-key"
        key.write_text(print_plain_key(_NAME, seed).strip(), encoding="utf-8")
        self._key = Ed25519Signer(_NAME, seed).vkey
        self._port = free_port()
        command = [
            str(program), f"--storage_dir={folder / 'tessera'}", f"--listen=127.0.0.1:{self._port}",
            f"--private_key={key}",
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_for_port(self._port)

    def run(self, writers: int, seconds: int, size: int) -> float:
        """Return the entries a second that the log acknowledged."""
        address = f"http://127.0.0.1:{self._port}/"
        command = [
            str(self._hammer), f"--log_url={address}", f"--write_log_url={address}", f"--log_public_key={self._key}",
            f"--num_writers={writers}", "--num_readers_random=0", "--num_readers_full=0", "--max_write_ops=100000",
            f"--max_runtime={seconds}s", f"--leaf_min_size={size}", "--show_ui=false",
        ]  # fmt: skip
        before = self._size(address)
        began = time.monotonic()
        subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds + 60)
        return (self._size(address) - before) / (time.monotonic() - began)

    def pause(self, *, is_paused: bool) -> None:
        """Stop or continue it."""
        os.killpg(self._process.pid, signal.SIGSTOP if is_paused else signal.SIGCONT)

    def close(self) -> None:
        """Stop it."""
        stop(self._process)

    def _size(self, address: str) -> int:
        done = subprocess.run(["curl", "-sf", address + "checkpoint"], check=False, capture_output=True, text=True)
        found = re.match(r"[^\n]+\n(\d+)\n", done.stdout)
        return int(found[1]) if found else 0


def free_port() -> int:
    """Return a port of the loopback that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for_port(port: int) -> None:
    """Wait until somebody listens.

    Raises:
        SystemExit: Nobody does in time.
    """
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after {_START_S:.0f} s")


def stop(process: subprocess.Popen[bytes] | None) -> None:
    """Stop a server that we started, with all that it started."""
    if process is not None and process.poll() is None:
        os.killpg(process.pid, signal.SIGCONT)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
