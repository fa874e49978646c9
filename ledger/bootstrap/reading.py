"""What a reader does with a log that somebody else keeps: a folder, or an address, and the log's key; no home."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import InvalidInputError
from ledger.log.client import verify_log
from ledger.log.http_fetcher import HTTPFetcher
from ledger.log.note import Ed25519Verifier
from ledger.log.storage import FolderFetcher
from ledger.service.stream_gaps import MOST_TOLD, Gap, scan_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.log.ports import Fetcher

_WEB: Final = ("http://", "https://")


@contextmanager
def open_fetcher(log: str) -> Iterator[Fetcher]:
    """Yield a reader of the log at an address or in a folder, and let go of its connection afterwards.

    Raises:
        InvalidInputError: There is no such folder, or it is no address.
    """
    if log.startswith(_WEB):
        with closing(HTTPFetcher(log)) as fetcher:
            yield fetcher
        return
    folder = Path(log)
    if not folder.is_dir():
        raise InvalidInputError("log", log, "the http(s) address of a log, or its folder")
    yield FolderFetcher(folder)


def stream_gaps(log: str, vkey: str, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Check a log, then read its leaves and tell where a stream does not follow.

    Args:
        log: Its folder, or the address under which its ``checkpoint`` is.
        vkey: The verifier key of its checkpoints.
        progress: Told how far it is.

    Raises:
        InvalidInputError: The vkey is not one, or there is no such folder.
        VerificationError: The log is not what its key signed.
        MissingFileError: A file that the checkpoint promises is not there.
    """
    key = Ed25519Verifier.from_vkey(vkey)
    size, streams, found = 0, 0, 0
    told: list[Gap] = []
    with open_fetcher(log) as fetcher:
        for step in verify_log(fetcher, key):
            size = step.size
            progress("log", step.entries, size)
        for scanned in scan_streams(fetcher, size):
            streams, found = scanned.streams, found + len(scanned.gaps)
            told += scanned.gaps[: MOST_TOLD - len(told)]
            progress("streams", scanned.entries, size)
    gaps = [{"index": gap.index, "stream": gap.stream, "reason": gap.reason} for gap in told]
    return {"entries": size, "streams": streams, "gaps": found, "first": gaps}
