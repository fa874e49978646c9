"""The log's public files as C2SP tlog-tiles names them, with the type and the keeping time of each."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from api.headers import IMMUTABLE, REVALIDATED
from api.opaque.answers import TEXT
from ledger.log.errors import MissingFileError
from ledger.log.tiles import CHECKPOINT_PATH
from ledger.service.reading_log import TILE_PATH

if TYPE_CHECKING:
    from api.opaque.answers import Answers
    from ledger.log.ports import Fetcher
    from ledger.service.opaque_log import OpaqueLog

_ALWAYS: Final = "Access-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"
_CHANGES: Final = f"Cache-Control: {REVALIDATED['Cache-Control']}\r\n{_ALWAYS}".encode()
_STAYS: Final = f"Cache-Control: {IMMUTABLE['Cache-Control']}\r\n{_ALWAYS}".encode()
_TILE_PREFIX: Final = "tile/"
_LONGEST_PATH: Final = 200


class PublicFiles:
    """Answers reads. Nothing outside the paths of tlog-tiles is ever opened."""

    __slots__ = ("_answers", "_fetcher", "_log")

    def __init__(self, log: OpaqueLog, fetcher: Fetcher, answers: Answers) -> None:
        self._log = log
        self._fetcher = fetcher
        self._answers = answers

    def answer(self, url: bytes, *, with_body: bool) -> bytes:
        """Return the answer to a GET, or to a HEAD without its body."""
        path = url.partition(b"?")[0][1:].decode("latin-1")
        if path == CHECKPOINT_PATH:
            return self._answers.file(self._log.checkpoint(), TEXT.encode(), _CHANGES, with_body=with_body)
        is_short = len(path) <= _LONGEST_PATH
        if is_short and path.startswith(_TILE_PREFIX) and TILE_PATH.fullmatch(path[len(_TILE_PREFIX) :]):
            try:
                content = self._fetcher.read(path)
            except MissingFileError:
                return self._answers.refusal(HTTPStatus.NOT_FOUND, "the log has no such file", with_body=with_body)
            return self._answers.file(content, b"application/octet-stream", _STAYS, with_body=with_body)
        return self._answers.refusal(HTTPStatus.NOT_FOUND, "no such path", with_body=with_body)
