"""The scalar types of signed records and contract events, each with its Solidity name and its range.

A record field is annotated with one of these aliases; from the annotation come the EIP-712 type, the
ABI word and the range check. Values are plain ``bytes``, ``int`` and ``bool``:

    Bytes32 = Annotated[bytes, Scalar("bytes32")]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from ledger.domain.errors import InvalidInputError

WORD_BYTES: Final = 32
ADDRESS_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Scalar:
    """A static Solidity type of one ABI word, by its Solidity name."""

    solidity: str

    @property
    def bits(self) -> int:
        """Width of an unsigned integer type, 0 for the others."""
        return int(self.solidity[4:]) if self.solidity.startswith("uint") else 0


@dataclass(frozen=True, slots=True)
class Indexed:
    """Marks an event field that travels as a topic."""


INDEXED: Final = Indexed()

Bytes32 = Annotated[bytes, Scalar("bytes32")]
Address = Annotated[bytes, Scalar("address")]
Bool = Annotated[bool, Scalar("bool")]
Uint8 = Annotated[int, Scalar("uint8")]
Uint16 = Annotated[int, Scalar("uint16")]
Uint32 = Annotated[int, Scalar("uint32")]
Uint64 = Annotated[int, Scalar("uint64")]
Uint256 = Annotated[int, Scalar("uint256")]

MAX_UINT8: Final = 2**8 - 1
MAX_UINT16: Final = 2**16 - 1
MAX_UINT32: Final = 2**32 - 1
MAX_UINT64: Final = 2**64 - 1
MAX_UINT256: Final = 2**256 - 1

ZERO32: Final = bytes(WORD_BYTES)
OPEN_END: Final = MAX_UINT64
"""How an open-ended window is stored on chain: ``to`` of ``type(uint64).max``."""


def check_scalar(scalar: Scalar, value: object, field: str) -> None:
    """Check that ``value`` has the Python type and the range of ``scalar``.

    Raises:
        InvalidInputError: the value is of another type, length or range; names ``field``.
    """
    kind = scalar.solidity
    if kind == "bool":
        if not isinstance(value, bool):
            raise InvalidInputError(field, value, "true or false")
    elif kind == "bytes32":
        if not isinstance(value, bytes) or len(value) != WORD_BYTES:
            raise InvalidInputError(field, value, "exactly 32 bytes")
    elif kind == "address":
        if not isinstance(value, bytes) or len(value) != ADDRESS_BYTES:
            raise InvalidInputError(field, value, "exactly 20 bytes")
    elif not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << scalar.bits:
        raise InvalidInputError(field, value, f"an integer from 0 to 2^{scalar.bits} - 1")


def encode_word(value: bytes | int) -> bytes:
    """Return the 32-byte ABI word of a value already checked by `check_scalar`."""
    if isinstance(value, bytes):
        return value if len(value) == WORD_BYTES else value.rjust(WORD_BYTES, b"\0")
    return int(value).to_bytes(WORD_BYTES, "big")


def decode_word(scalar: Scalar, word: bytes, field: str) -> bytes | int:
    """Return the value of one ABI word; bits outside the type's width are refused.

    Raises:
        InvalidInputError: the word is not 32 bytes or is out of the type's range.
    """
    if len(word) != WORD_BYTES:
        raise InvalidInputError(field, word, "a word of 32 bytes")
    kind = scalar.solidity
    if kind == "bytes32":
        return word
    if kind == "address":
        if any(word[:12]):
            raise InvalidInputError(field, word, "an address, with its 12 upper bytes zero")
        return word[12:]
    number = int.from_bytes(word, "big")
    if kind == "bool":
        if number > 1:
            raise InvalidInputError(field, word, "0 or 1")
        return bool(number)
    if number >> scalar.bits:
        raise InvalidInputError(field, word, f"a {kind}")
    return number


def hex32(text: str, field: str) -> bytes:
    """Parse 64 lower-case hexadecimal digits.

    Raises:
        InvalidInputError: any other text, also with ``0x`` or upper case, so that one value has one spelling.
    """
    if len(text) == 2 * WORD_BYTES and not set(text) - set("0123456789abcdef"):
        return bytes.fromhex(text)
    raise InvalidInputError(field, text, "64 lower-case hexadecimal digits")
