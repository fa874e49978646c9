"""One behaviour of the public files of a log, in a folder and in S3-compatible storage."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.log.errors import MissingFileError
from ledger.log.media import cache_control, content_type
from ledger.log.storage.bucket import Bucket
from ledger.log.storage.files import DurableFolder
from ledger.log.storage.published import check_store, open_files
from tests.log.s3 import BUCKET, CREDENTIALS, client_of, s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.log.ports import PublicFiles


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3 server: moto's, or another one's that QUANZE_TEST_S3 names (with an empty bucket)."""
    if given := os.environ.get("QUANZE_TEST_S3", ""):
        yield given
        return
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture(params=["folder", "bucket", "prefix"])
def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PublicFiles:
    if request.param == "folder":
        return DurableFolder(tmp_path)
    if "QUANZE_TEST_S3" not in os.environ:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
    prefix = f"/{tmp_path.name}/log" if request.param == "prefix" else f"/{tmp_path.name}"
    return Bucket(f"s3://{BUCKET}{prefix}", request.getfixturevalue("s3"))


def test_what_is_put_is_read_and_may_be_replaced(files: PublicFiles) -> None:
    with pytest.raises(MissingFileError):
        files.read("checkpoint")
    assert not files.exists("checkpoint")
    for data in (b"one", b"", b"two" * 30_000):
        files.put("checkpoint", data)
        files.sync()
        assert files.read("checkpoint") == data
    assert files.exists("checkpoint")


def test_what_is_put_once_is_never_replaced(files: PublicFiles) -> None:
    assert files.put_once("tile/0/000", b"hashes")
    assert not files.put_once("tile/0/000", b"hashes")
    with pytest.raises(IntegrityError, match="tile/0/000"):
        files.put_once("tile/0/000", b"others")
    assert files.read("tile/0/000") == b"hashes"


def test_a_deleted_file_is_gone_and_may_be_deleted_again(files: PublicFiles) -> None:
    files.put("tile/0/000", b"one")
    files.put("tile/0/001", b"two")
    files.delete("tile/0/000")
    files.delete("tile/0/000")
    files.delete("tile/9/000")
    files.sync()
    assert not files.exists("tile/0/000")
    assert files.read("tile/0/001") == b"two"


def test_a_folder_is_deleted_with_all_its_files_and_no_other(files: PublicFiles) -> None:
    for path in ("tile/0/000.p/1", "tile/0/000.p/255", "tile/0/000", "tile/0/001.p/1"):
        files.put(path, path.encode())
    assert sorted(files.names("tile/0/000.p")) == ["tile/0/000.p/1", "tile/0/000.p/255"]
    files.delete_all("tile/0/000.p")
    files.delete_all("tile/0/000.p")
    files.delete_all("tile/0/002.p")
    files.sync()
    assert sorted(files.names("tile")) == ["tile/0/000", "tile/0/001.p/1"]
    assert list(files.names("tile/0/000.p")) == []


def test_a_folder_is_no_file(files: PublicFiles) -> None:
    files.put("tile/0/000.p/1", b"one")
    assert not files.exists("tile/0/000.p")
    with pytest.raises(MissingFileError):
        files.read("tile/0/000.p")
    with pytest.raises(MissingFileError):
        files.read("tile/0/000.p/1/2")


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/x001/234", "tile/entries/000", "tile/1/000.p/7"])
def test_objects_carry_the_headers_that_readers_get(
    s3: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    store = Bucket(f"s3://{BUCKET}/{tmp_path.name}", s3)
    (store.put if path == "checkpoint" else store.put_once)(path, b"data")
    found = client_of(s3).head_object(Bucket=BUCKET, Key=f"{tmp_path.name}/{path}")
    assert (found["ContentType"], found["CacheControl"]) == (content_type(path), cache_control(path))


def test_headers_are_those_of_the_specification() -> None:
    assert content_type("checkpoint") == "text/plain; charset=utf-8"
    assert cache_control("checkpoint") == "public, no-cache"
    for path in ("tile/0/000", "tile/0/000.p/7"):
        assert content_type(path) == "application/octet-stream"
        assert cache_control(path) == "public, max-age=31536000, immutable"


def test_store_that_keeps_what_may_not_be_replaced_is_taken_and_keeps_no_probe(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    address = f"s3://{BUCKET}/probed"
    check_store(address, s3)
    assert "Contents" not in client_of(s3).list_objects_v2(Bucket=BUCKET, Prefix="probed/")


def test_store_that_is_down_or_not_there_is_unavailable(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    for address, endpoint in ((f"s3://{BUCKET}", "http://127.0.0.1:1"), ("s3://no-such-bucket-here", s3)):
        store = Bucket(address, endpoint)
        for call in (
            lambda store=store: store.put("checkpoint", b""),
            lambda store=store: store.put_once("tile/0/000", b""),
            lambda store=store: list(store.names("tile")),
        ):
            with pytest.raises(UnavailableError) as noticed:
                call()
            assert "test" not in noticed.value.explain().replace(BUCKET, "")


@pytest.mark.parametrize("address", ["s3://", "s3:///prefix", "http://bucket", "relative/folder", ""])
def test_address_that_is_no_store_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError):
        open_files(address)
