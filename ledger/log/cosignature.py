"""C2SP tlog-cosignature: a timestamped statement that a checkpoint is the largest that its signer has seen of a log.

A cosignature is one more signature line of the checkpoint's note. Its key's kind is 0x04; its value is eight bytes of
time (seconds since 1970, big-endian) and 64 of an Ed25519 signature over::

    cosignature/v1
    time 1679315147
    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

that is two lines and then the whole text of the note. A log cosigns its own checkpoints with its own key, so that
readers learn when each was made; witnesses cosign those of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import InvalidInputError
from ledger.log.note import NamedKey

if TYPE_CHECKING:
    from collections.abc import Callable

COSIGNATURE_V1: Final = 0x04
"""The kind of a key that makes timestamped cosignatures."""

MAX_TIME: Final = (1 << 63) - 1
_TIME_BYTES: Final = 8
_VALUE_BYTES: Final = _TIME_BYTES + 64


def cosigned_message(text: bytes, time: int) -> bytes:
    """Return what a cosigner signs: the header, the time, and the note's text."""
    return b"cosignature/v1\ntime %d\n" % time + text


def time_of(value: bytes) -> int:
    """Return the time in a cosignature that was checked: seconds since 1970."""
    return int.from_bytes(value[:_TIME_BYTES], "big")


class CosignatureVerifier(NamedKey):
    """Checks the cosignatures of one named Ed25519 key."""

    __slots__ = ()
    KIND = COSIGNATURE_V1

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        """Say whether a line's value is this key's cosignature of a note's text."""
        if len(signature) != _VALUE_BYTES or (time := time_of(signature)) > MAX_TIME:
            return False
        try:
            self._key.verify(signature[_TIME_BYTES:], cosigned_message(text, time))
        except InvalidSignature:
            return False
        return True


class Cosigner:
    """Cosigns notes with one key, at the time that a clock tells."""

    __slots__ = ("_now_s", "_sign", "_verifier")

    def __init__(self, name: str, public_key: bytes, sign: Callable[[bytes], bytes], now_s: Callable[[], int]) -> None:
        """Take the cosigner's name, its public key, what signs with its secret, and the clock in seconds.

        Raises:
            InvalidInputError: the name is not a key name or the key is not an Ed25519 key.
        """
        self._verifier = CosignatureVerifier(name, public_key)
        self._sign = sign
        self._now_s = now_s

    @classmethod
    def from_seed(cls, name: str, seed: bytes, now_s: Callable[[], int]) -> Self:
        """Make one from its 32 secret bytes."""
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(name, key.public_key().public_bytes_raw(), key.sign, now_s)

    @property
    def name(self) -> str:
        """The cosigner's name."""
        return self._verifier.name

    @property
    def key_id(self) -> bytes:
        """The four bytes before each of its cosignatures."""
        return self._verifier.key_id

    @property
    def vkey(self) -> str:
        """The public key as text, to give to those who check."""
        return self._verifier.vkey

    def sign(self, text: bytes) -> bytes:
        """Return the value of a line over the note's text, at the present time.

        Raises:
            InvalidInputError: the clock is before 1970 or past the format's end.
        """
        return self.sign_at(text, self._now_s())

    def sign_at(self, text: bytes, time: int) -> bytes:
        """Return the value of a line over the note's text, at a given time. Raises as ``sign``."""
        if not 0 <= time <= MAX_TIME:
            raise InvalidInputError(field="time", value=time, allowed=f"0 to {MAX_TIME} seconds since 1970")
        return time.to_bytes(_TIME_BYTES, "big") + self._sign(cosigned_message(text, time))
