"""What the pure log core needs of the world: bytes by path, a key to check with, a key to sign with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.log.checkpoint import Checkpoint


class Fetcher(Protocol):
    """Reads the public files of a log, wherever they are: a folder, a web server, a test's dictionary."""

    def read(self, path: str) -> bytes:
        """Return the file at a path such as ``checkpoint`` or ``tile/0/x001/234``.

        Raises:
            MissingFileError: there is no such file.
        """
        ...


class PublicFiles(Fetcher, Protocol):
    """The public files of a log where its readers get them: a folder, a bucket.

    What cannot be reached or written is an OSError of a folder and an UnavailableError of anything else.
    """

    def put(self, path: str, data: bytes) -> None:
        """Replace a file: a reader sees the old bytes or the new ones, never a mixture."""
        ...

    def put_once(self, path: str, data: bytes) -> bool:
        """Write a file that never changes, and say whether it was not there; one that is there must be the same.

        Raises:
            IntegrityError: the file is there with other bytes, and stays.
        """
        ...

    def exists(self, path: str) -> bool:
        """Say whether there is a file at a path."""
        ...

    def delete(self, path: str) -> None:
        """Remove a file, if it is there."""
        ...

    def delete_all(self, path: str) -> None:
        """Remove every file under a folder such as ``tile/0/000.p``, if there are any."""
        ...

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the paths of the files under a folder such as ``tile/0``."""
        ...

    def sync(self) -> None:
        """Return once everything put and deleted so far survives a power cut."""
        ...


class NoteSigner(Protocol):
    """One named key that signs notes."""

    @property
    def name(self) -> str:
        """The key's name; for a log, its origin."""
        ...

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature of this key."""
        ...

    @property
    def vkey(self) -> str:
        """The verifier key text that others check with."""
        ...

    def sign(self, text: bytes) -> bytes:
        """Return the signature over the note's text."""
        ...


class NoteVerifier(Protocol):
    """One named key that checks notes."""

    @property
    def name(self) -> str:
        """The key's name."""
        ...

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that stand before each signature of this key."""
        ...

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        """Say whether the signature over the note's text is this key's."""
        ...


class ProvesConsistency(Protocol):
    """A log that can show how it grew."""

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the RFC 6962 proof that the first ``old`` entries are a prefix of the first ``new``."""
        ...


class Endorser(Protocol):
    """Gets a checkpoint what it needs, besides the log's own signatures, before it may be published."""

    def endorse(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> bytes:
        """Return the note with what others signed of it.

        Raises:
            UnavailableError: too few of them signed; the checkpoint must not be published.
        """
        ...
