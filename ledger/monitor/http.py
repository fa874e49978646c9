"""A log's public files over HTTP: what any web server gives of a tlog-tiles folder."""

from __future__ import annotations

from typing import Final

import httpx

from ledger.domain.errors import UnavailableError
from ledger.log.errors import MissingFileError

_FILE_BYTES_MAX: Final = 256 * (2 + 0xFFFF)
"""The largest file that a log has: a bundle of 256 entries of the greatest length."""
_GONE: Final = frozenset({404, 410})


class HTTPFetcher:
    """A Fetcher over a log's address. Nothing in between may answer from memory.

    Args:
        url: The folder that holds ``checkpoint`` and ``tile/``.
        timeout_s: The longest wait for one file.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/") + "/"
        # Proxy variables of the environment must not choose what this reader is shown.
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, headers={"Cache-Control": "no-cache"})

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFileError: The server says that there is no such file.
            UnavailableError: It gave no answer that can be used.
        """
        data = bytearray()
        try:
            with self._http.stream("GET", self._url + path) as answer:
                if answer.status_code in _GONE:
                    raise MissingFileError(path)
                if answer.status_code != httpx.codes.OK:
                    raise UnavailableError("log", f"it answered {answer.status_code}", file=path)
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > _FILE_BYTES_MAX:
                        raise UnavailableError("log", "its file is longer than any of a log's", file=path)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # httpx: RuntimeError = client closed
            raise UnavailableError("log", f"{type(error).__name__}: {error}", file=path) from error
        return bytes(data)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
