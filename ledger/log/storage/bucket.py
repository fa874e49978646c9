"""The public files of a log in S3-compatible storage.

A full tile is put on the condition that nothing is there (``If-None-Match: *``), so no writer, also not a second one by
mistake, ever replaces it; a store that does not know the condition is refused before it is used. Credentials come from
boto3's own chain (environment, files, the machine's role), and are never read, kept or logged here.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.log.errors import MissingFileError
from ledger.log.media import cache_control, content_type
from ledger.log.storage.published import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_IS_THERE: Final = frozenset({"409", "412", "PreconditionFailed", "ConditionalRequestConflict"})
_CONNECTIONS: Final = 16


class Bucket:
    """Public files under a prefix of a bucket. Every method may be called from any thread."""

    # boto3 makes its clients at run time, so nothing is known of their types.
    __slots__ = ("_bucket", "_client", "_prefix")

    def __init__(self, address: str, endpoint: str = "") -> None:
        """Use ``s3://bucket/prefix``, at an endpoint such as ``https://s3.example.org`` or else Amazon's own.

        Raises:
            InvalidInputError: the address names no bucket.
            UnavailableError: the settings or credentials that boto3 found are of no use.
        """
        bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
        if not address.startswith(SCHEME) or not bucket:
            raise InvalidInputError("store", address, "s3://bucket or s3://bucket/prefix")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        config = Config(
            connect_timeout=3,
            read_timeout=20,
            retries={"max_attempts": 3, "mode": "standard"},
            max_pool_connections=_CONNECTIONS,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path"} if endpoint else {},
        )
        with _reached():
            self._client: Any = boto3.client("s3", endpoint_url=endpoint or None, config=config)

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFileError: there is no such file.
            UnavailableError: the store does not answer or refuses.
        """
        with _reached(path):
            data: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read()
            return data

    def put(self, path: str, data: bytes) -> None:
        """Replace a file.

        Raises:
            UnavailableError: the store does not answer or refuses.
        """
        with _reached():
            self._client.put_object(**self._object(path, data))

    def put_once(self, path: str, data: bytes) -> bool:
        """Write a file that never changes, and say whether it was not there; one that is there must be the same.

        Raises:
            IntegrityError: the file is there with other bytes, and stays.
            UnavailableError: the store does not answer or refuses.
        """
        with _reached():
            try:
                self._client.put_object(**self._object(path, data), IfNoneMatch="*")
            except ClientError as error:
                if _code(error) not in _IS_THERE:
                    raise
            else:
                return True
        if self.read(path) != data:
            raise IntegrityError(path, "the file in the store differs from the log's", file=path)
        return False

    def exists(self, path: str) -> bool:
        """Say whether there is a file at a path.

        Raises:
            UnavailableError: the store does not answer or refuses.
        """
        try:
            with _reached(path):
                self._client.head_object(Bucket=self._bucket, Key=self._prefix + path)
        except MissingFileError:
            return False
        return True

    def delete(self, path: str) -> None:
        """Remove a file, if it is there.

        Raises:
            UnavailableError: the store does not answer or refuses.
        """
        with _reached():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + path)

    def delete_all(self, path: str) -> None:
        """Remove every file under a folder, if there are any.

        Raises:
            UnavailableError: the store does not answer or refuses.
        """
        for name in list(self.names(path)):
            self.delete(name)

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the paths of the files under a folder such as ``tile/0``.

        Raises:
            UnavailableError: the store does not answer or refuses.
        """
        with _reached():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{prefix}/"
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix)

    def sync(self) -> None:
        """Do nothing: an answered write is durable."""

    def check_conditions(self) -> None:
        """Return if the store can be written, and never replaces what may not be replaced.

        Raises:
            InvalidInputError: the store lets a conditional write replace an object.
            UnavailableError: the store does not answer or refuses.
        """
        probe = f"probe-{secrets.token_hex(8)}"
        try:
            self.put_once(probe, b"first")
            with _reached():
                try:
                    self._client.put_object(**self._object(probe, b"second"), IfNoneMatch="*")
                except ClientError as error:
                    if _code(error) in _IS_THERE:
                        return
                    raise
        finally:
            self.delete(probe)
        raise InvalidInputError("store", SCHEME + self._bucket, "a store that honours If-None-Match on PUT")

    def _object(self, path: str, data: bytes) -> Any:
        return {
            "Bucket": self._bucket,
            "Key": self._prefix + path,
            "Body": data,
            "ContentType": content_type(path),
            "CacheControl": cache_control(path),
        }


@contextmanager
def _reached(path: str = "") -> Iterator[None]:
    """Translate what boto3 raises: of a file that is asked for, its absence is a MissingFileError."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if path and code in _MISSING:
            raise MissingFileError(path) from error
        raise UnavailableError("log store", f"it refused: {code}") from error
    except BotoCoreError as error:
        raise UnavailableError("log store", str(error)) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
