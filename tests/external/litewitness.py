"""Go's litewitness (filippo.io/torchwood/cmd/litewitness) on a loopback port, with its key in an agent of ours."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import sqlite3
import struct
import subprocess
import threading
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIST, _LISTED, _SIGN, _SIGNED, _FAILED = 11, 12, 13, 14, 5
_KIND = b"ssh-ed25519"


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class _Agent(socketserver.ThreadingUnixStreamServer):
    """The two requests of an SSH agent that a witness makes: which keys there are, and sign this."""

    daemon_threads = True

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        self.key = key
        self.public = _text(_KIND) + _text(key.public_key().public_bytes_raw())
        super().__init__(str(path), _Requests)


class _Requests(socketserver.StreamRequestHandler):
    server: _Agent

    def handle(self) -> None:
        while head := self.rfile.read(4):
            message = self.rfile.read(struct.unpack(">I", head)[0])
            self.wfile.write(_text(self._answer(message)))

    def _answer(self, message: bytes) -> bytes:
        if message[0] == _LIST:
            return bytes([_LISTED]) + struct.pack(">I", 1) + _text(self.server.public) + _text(b"witness")
        if message[0] == _SIGN:
            start = 1 + 4 + len(self.server.public)
            length = struct.unpack(">I", message[start : start + 4])[0]
            value = self.server.key.sign(message[start + 4 : start + 4 + length])
            return bytes([_SIGNED]) + _text(_text(_KIND) + _text(value))
        return bytes([_FAILED])


@contextlib.contextmanager
def litewitness(program: str, folder: Path, name: str, vkeys: list[str]) -> Iterator[tuple[str, str]]:
    """Run the witness for logs of these keys; yield its address and its verifier key as it tells them."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32)
    database, agent_path = folder / "litewitness.db", folder / "agent.sock"
    with sqlite3.connect(database) as connection:
        connection.executescript("""
            CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
            CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));
        """)
        for vkey in vkeys:
            origin = vkey.split("+")[0]
            connection.execute(
                "INSERT INTO log VALUES (?, 0, ?)", (origin, base64.b64encode(sha256(b"").digest()).decode())
            )
            connection.execute("INSERT INTO key VALUES (?, ?)", (origin, vkey))
    connection.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with _Agent(agent_path, key) as agent:
        threading.Thread(target=agent.serve_forever, daemon=True).start()
        printed = base64.b64encode(sha256(agent.public).digest()).decode().rstrip("=")
        command = [program, "-name", name, "-db", str(database), "-ssh-agent", str(agent_path)]
        with subprocess.Popen(
            [*command, "-key", f"SHA256:{printed}", "-listen", address], stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stderr is not None
                told: list[str] = []
                vkey = ""
                for text in process.stderr:
                    told.append(text)
                    if "vkey=" in text:
                        vkey = text.partition("vkey=")[2].split()[0].strip('"')
                        break
                assert vkey, "".join(told)
                reading = threading.Thread(target=process.stderr.read)
                reading.start()
                while not _answers(int(address.rpartition(":")[2])):
                    assert process.poll() is None, "it ended"
                yield f"http://{address}", vkey
            finally:
                process.terminate()
                process.wait()
                agent.shutdown()
            reading.join()


def _answers(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0
