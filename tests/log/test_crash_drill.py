"""The crash drill in short: faults at a sample of calls, power cuts at a sample of calls, and the model of the disk.

The long form tries every call: ``python -m scripts.crash_drill``; what it found is in docs/crash-drill.md.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.crash.disk import Disk, File
from scripts.crash.faults import FAULTS, STARTS, FaultDrill
from scripts.crash.life import Lives
from scripts.crash.power import PowerDrill
from scripts.crash.promises import Promises
from scripts.crash.tracing import Call
from scripts.crash.writer import small_files

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 7


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one, with a path short enough for a socket."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        yield Path(name).resolve()


@pytest.fixture
def lives(scratch: Path) -> Iterator[Lives]:
    if shutil.which("strace") is None:
        pytest.skip("NOT RUN: strace is not here, so no fault was put into a call of the log's writer")
    with small_files(), Lives(scratch) as lives:
        yield lives


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_fault_at_any_call_loses_nothing_and_the_writer_goes_on(lives: Lives, scratch: Path, start: str) -> None:
    drill = FaultDrill(lives, scratch, seed=SEED)
    *_, (done, total) = drill.try_all(start, sample=36)
    assert done == total == 36
    assert drill.table.broken == []
    assert drill.table.missed == 0
    assert {fault for _, fault in drill.table.tried} == set(FAULTS)
    assert drill.table.compared > 10 * total


@pytest.mark.slow
def test_power_cut_at_any_call_loses_nothing_that_was_acknowledged(lives: Lives, scratch: Path) -> None:
    drill = PowerDrill(lives, scratch, seed=SEED)
    *_, (done, total) = drill.cut_everywhere(lives=2, variants=3, every=8)
    assert done == total > 200
    assert drill.table.broken == []
    assert drill.table.states == 4 * drill.table.cuts
    assert drill.table.compared > 10 * drill.table.cuts


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["syncfs", "sync_file_range"])
def test_writer_does_without_calls_that_the_system_does_not_know(lives: Lives, scratch: Path, missing: str) -> None:
    folder, promises = scratch / "home" / "log", Promises()
    folder.parent.mkdir()
    faults = [f"{missing}:error=ENOSYS", "renameat2:error=EINVAL"]
    life = lives.live(folder, promises, label="life", faults=faults)
    assert (life.exit_code, life.refusals) == (0, [])
    found = [call for call in life.calls if str(folder) in " ".join(call.paths())]
    assert {call.is_injected for call in found if call.name in {missing, "renameat2"}} == {True}
    synced = {path for call in found if call.name == "fsync" for path in call.paths()}
    linked = [call.paths()[0] for call in found if call.name == "link"]
    assert linked
    assert synced.issuperset(linked)
    promises.check(folder)


def traced(name: str, text: str, result: int = 0) -> Call:
    return Call(name, 1, text, result, "", is_injected=False)


def quoted(text: Path | bytes) -> str:
    data = text if isinstance(text, bytes) else str(text).encode()
    return '"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


def written(disk: Disk, path: Path, data: bytes, *, is_synced: bool) -> None:
    """Follow the making of a file."""
    disk.follow(traced("openat", f"AT_FDCWD</>, {quoted(path)}, O_WRONLY|O_CREAT|O_TRUNC, 0666", 3))
    disk.follow(traced("write", f"3<{path}>, {quoted(data)}, {len(data)}", len(data)))
    if is_synced:
        disk.follow(traced("fsync", f"3<{path}>"))
    disk.follow(traced("close", f"3<{path}>"))


def left(disk: Disk, tmp_path: Path) -> dict[str, bytes]:
    """Return the files that are left for certain."""
    target = tmp_path / "left"
    disk.write_after_power_cut(target, None)
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    shutil.rmtree(target)
    return found


def test_model_keeps_neither_a_name_nor_bytes_that_were_not_synced(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    disk = Disk(home)
    written(disk, home / "new", b"bytes", is_synced=True)
    assert left(disk, tmp_path) == {}
    disk.follow(traced("fsync", f"4<{home}>"))
    assert left(disk, tmp_path) == {"new": b"bytes"}
    written(disk, home / "aside", b"other", is_synced=False)
    disk.follow(traced("rename", f"{quoted(home / 'aside')}, {quoted(home / 'new')}"))
    assert disk.look(home / "new") == b"other"
    assert left(disk, tmp_path) == {"new": b"bytes"}
    disk.follow(traced("fsync", f"4<{home}>"))
    assert left(disk, tmp_path) == {"new": b""}
    disk.follow(traced("unlink", quoted(home / "new")))
    assert left(disk, tmp_path) == {"new": b""}
    disk.follow(traced("fsync", f"4<{home}>"))
    assert left(disk, tmp_path) == {}


def test_model_trusts_no_sync_that_comes_after_a_failed_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "file").write_bytes(b"old")
    disk = Disk(home)
    disk.follow(traced("openat", f"AT_FDCWD</>, {quoted(home / 'file')}, O_WRONLY", 3))
    disk.follow(traced("write", f"3<{home}/file>, {quoted(b'new')}, 3", 3))
    disk.follow(traced("fsync", f"3<{home}/file>", -1))
    disk.follow(traced("fsync", f"3<{home}/file>"))
    assert disk.look(home / "file") == b"new"
    assert left(disk, tmp_path) == {"file": b"old"}
    disk.follow(traced("pwrite64", f"3<{home}/file>, {quoted(b'new')}, 3, 0", 3))
    disk.follow(traced("fsync", f"3<{home}/file>"))
    assert left(disk, tmp_path) == {"file": b"new"}


def test_model_syncs_every_file_and_folder_at_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "folder").mkdir(parents=True)
    disk = Disk(home)
    written(disk, home / "folder" / "aside", b"one", is_synced=False)
    written(disk, home / "other", b"two", is_synced=False)
    disk.follow(traced("syncfs", f"4<{home}>"))
    assert left(disk, tmp_path) == {"folder/aside": b"one", "other": b"two"}
    names = f"{quoted(home / 'folder' / 'aside')}, AT_FDCWD<{home}>, {quoted(home / 'folder' / 'new')}"
    disk.follow(traced("renameat2", f"AT_FDCWD<{home}>, {names}, RENAME_NOREPLACE"))
    written(disk, home / "other", b"three", is_synced=False)
    disk.follow(traced("syncfs", f"4<{home}>", -1))
    disk.follow(traced("syncfs", f"4<{home}>"))
    assert left(disk, tmp_path) == {"folder/new": b"one", "other": b"two\0\0"}


def test_model_tears_only_what_was_not_synced() -> None:
    synced = bytes(range(256)) * 3
    file = File(bytearray(synced), synced)
    file.write(len(synced), b"\xff" * 2_000)
    seen = {file.after_power_cut(random.Random(seed)) for seed in range(200)}
    assert all(torn[: len(synced)] == synced for torn in seen)
    assert synced in seen
    assert bytes(file.data) in seen
    assert len(seen) > 50
