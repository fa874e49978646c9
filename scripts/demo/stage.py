"""What the story is played on: a home, a running ``quanze up``, and the command's verbs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLE: Final = ROOT / "scripts" / "sample"
QUANZE: Final = Path(sys.executable).with_name("quanze")
_DEFAULT_PORT: Final = 8430
_SHOWN: Final = 600
_STOP_S: Final = 30.0


class StepError(Exception):
    """A step of the story did not come out as told."""


class Stage:
    """The folder of one demonstration and the command over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.address = ""
        folder.mkdir(parents=True, exist_ok=True)
        passphrase = folder / "passphrase"
        if not passphrase.exists():
            passphrase.touch(mode=0o600)
            passphrase.write_text(secrets.token_hex(16) + "\n", encoding="ascii")
        os.environ["QUANZE_PASSPHRASE_FILE"] = str(passphrase)
        os.environ["QUANZE_HOME"] = str(self.home)
        # These keys guard nothing: they are worth less work than a person's.
        os.environ.setdefault("QUANZE_KEYSTORE_SCRYPT_N", str(2**12))

    def quanze(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> Any:
        """Run a verb in this process and return its JSON document.

        Raises:
            StepError: It ended with another code than those given; says what it said.
        """
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([*arguments, "--json"])
        if code not in codes:
            told = err.getvalue().strip() or out.getvalue().strip()[-_SHOWN:]
            raise StepError(f"quanze {' '.join(arguments[:2])} ended with {code}: {told}")
        return json.loads(out.getvalue() or err.getvalue())

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a process of its own, with no home and no passphrase."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QUANZE_")}
        return subprocess.run([QUANZE, *arguments], env=kept, capture_output=True, text=True, check=False)

    def read(self, name: str) -> Any:
        """Return what an earlier run left under a name, or None."""
        path = self.folder / name
        return json.loads(path.read_bytes()) if path.exists() else None

    def write(self, name: str, value: object) -> Path:
        """Write a JSON file into the folder and return its path."""
        path = self.folder / name
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path

    @contextlib.contextmanager
    def service(self) -> Iterator[None]:
        """Run ``quanze up`` as a process of its own while the block lasts.

        Raises:
            StepError: It did not come up.
        """
        with (self.folder / "up.log").open("ab") as log:
            command = [str(QUANZE), "up", "--port", str(_free_port())]
            # In a session of its own, so that Ctrl-C reaches it from here alone, and once.
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
            try:
                self.address = self._await_up(process)
                yield
            finally:
                process.send_signal(signal.SIGINT)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_S)
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def _await_up(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            told = (self.folder / "up.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise StepError("quanze up did not start: " + (told[-1] if told else "it said nothing"))
        return str(json.loads(line)["address"])


def _free_port() -> int:
    """Return the usual port if nobody has it, else 0."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", _DEFAULT_PORT))
        except OSError:
            return 0
    return _DEFAULT_PORT
