"""What the pure log core needs of the world: bytes by path, a key to check with, a key to sign with."""

from __future__ import annotations

from typing import Protocol


class Fetcher(Protocol):
    """Reads the public files of a log, wherever they are: a folder, a web server, a test's dictionary."""

    def read(self, path: str) -> bytes:
        """Return the file at a path such as ``checkpoint`` or ``tile/0/x001/234``.

        Raises:
            MissingFileError: there is no such file.
        """
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
