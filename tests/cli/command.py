"""The command over a real home, in this process or as a process of its own, and a small world in that home."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.main import run

if TYPE_CHECKING:
    from collections.abc import Iterator

QUANZE = Path(sys.prefix) / "bin" / "quanze"


@dataclass(frozen=True)
class Said:
    """What a command line ended with and said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        """The error on standard error."""
        found: dict[str, str] = json.loads(self.err.strip().splitlines()[-1])["error"]
        return found


@dataclass
class Command:
    """The command over one home."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QUANZE_")}
        return {**kept, "QUANZE_HOME": str(self.home), **self.settings}

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Said:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment)
        stream = io.TextIOWrapper(io.BytesIO(stdin))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _stdin(stream):
                code = run(list(arguments))
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Said(code, out.getvalue(), err.getvalue())

    def done(self, *arguments: str, stdin: bytes = b"") -> Any:
        """Run a command line that must succeed and return its document."""
        said = self(*arguments, "--json", stdin=stdin)
        assert said.code == 0, said
        return said.json

    def program(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command line as a process of its own."""
        found = subprocess.run(
            [QUANZE, *arguments], env=self.environment, input=stdin, capture_output=True, check=False
        )
        return subprocess.CompletedProcess(
            found.args, found.returncode, found.stdout.decode(), found.stderr.decode(errors="replace")
        )

    @contextlib.contextmanager
    def up(self, *arguments: str) -> Iterator[dict[str, Any]]:
        """Run the service while the block lasts and check that it stops cleanly."""
        process = subprocess.Popen(
            [QUANZE, "up", "--port", "0", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            line = process.stdout.readline()
            try:
                assert line, process.stderr.read().decode()
                yield {**json.loads(line), "pid": process.pid}
            finally:
                process.send_signal(signal.SIGINT)
                told = process.stderr.read().decode()
                code = process.wait(30)
        assert code == 0, told
        assert "Traceback" not in told, told


@contextlib.contextmanager
def _stdin(stream: io.TextIOWrapper) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = stream
    try:
        yield
    finally:
        sys.stdin = before


def make_settings(folder: Path) -> dict[str, str]:
    """Return settings that a test's home needs: a passphrase, cheap keys, and blocks that do not wait for the clock."""
    passphrase = folder / "passphrase"
    passphrase.write_text("a passphrase that must never be shown\n", encoding="ascii")
    return {
        "QUANZE_PASSPHRASE_FILE": str(passphrase),
        "QUANZE_KEYSTORE_SCRYPT_N": "16",
        "QUANZE_BLOCK_TIME_LEAD_MAX_S": "100000",
    }


PROVIDER = "uscc:119900000000A00135"
REQUESTER = "uscc:119900000000A00210"
AUTHORITY = "uscc:119900000000A003XP"
DATASET = f"{PROVIDER}#PERSONS"


def head(agency: str) -> str:
    """The office head of an agency."""
    return f"head@{agency}"


def draft_of(reference: str, **changes: Any) -> dict[str, Any]:
    """A draft over the world's dataset."""
    grant = {
        "dataset": DATASET,
        "version": 1,
        "recipient": REQUESTER,
        "purpose": "dpv:PublicHealth",
        "delivery": "INTERFACE",
        "starts": "2025-01-01",
        "ends": None,
    }
    return {
        "format": "quanze-agreement-draft-v1",
        "reference": reference,
        "title": "Persons for public health",
        "provider": PROVIDER,
        "parties": [{"agency": PROVIDER, "role": "PROVIDER"}, {"agency": REQUESTER, "role": "REQUESTER"}],
        "grants": [grant],
        **changes,
    }


def make_world(command: Command) -> None:
    """Admit two parties and an authority with their posts, and publish a dataset."""
    for agency, name, capacities in (
        (PROVIDER, "Civil Registry", ""),
        (REQUESTER, "Health Commission", ""),
        (AUTHORITY, "Data Authority", "SHARING_AUTHORITY,INSPECTOR,REVIEWER"),
    ):
        command.done("agency", "add", agency, "--name-en", name, "--capacities", capacities)
    for post, roles in (
        (head(PROVIDER), "PROVIDER_OFFICE_HEAD,DEPT_HEAD"),
        (head(REQUESTER), "REQUESTER_OFFICE_HEAD"),
        (f"reporter@{REQUESTER}", "REPORTER"),
        (f"reporter@{PROVIDER}", "REPORTER"),
        (f"inspector@{AUTHORITY}", "INSPECTOR"),
        (f"director@{AUTHORITY}", "SHARING_AUTHORITY"),
        (f"reviewer@{AUTHORITY}", "REVIEWER"),
    ):
        key = f"key-{post.partition('@')[0]}-{post[-4:]}"
        command.done("post", "add", post, "--roles", roles, "--name-en", "A post", "--key", key)
    command.done("catalogue", "add", DATASET, "--as", head(PROVIDER), "--name-en", "Persons")


def sign_agreement(command: Command, reference: str, **changes: Any) -> str:
    """Draft and sign an agreement; return its id."""
    text = json.dumps(draft_of(reference, **changes)).encode()
    made = command.done("agreement", "draft", "-", "--as", head(PROVIDER), stdin=text)
    for agency in (PROVIDER, REQUESTER):
        signed = command.done("agreement", "sign", reference, "--as", head(agency), "--yes")
    assert signed["status"] == "ACTIVE"
    return str(made["agreement"])
