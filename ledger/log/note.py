"""C2SP signed notes: a text and the Ed25519 signatures of named keys over it.

A note is UTF-8 text that ends with a newline, an empty line, and one line for each signature::

    example.com/log
    5
    gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=

    — example.com/log M9e0lmn5eDHyHP10…

The base64 holds four bytes that name the key and then the signature. Parsing is strict, so that two readers
never differ on what was signed; signatures of keys that the reader does not know are ignored, as C2SP demands.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.domain.errors import InvalidInputError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.ports import NoteSigner, NoteVerifier

ED25519 = 0x01
"""The algorithm byte of C2SP signed-note for a plain Ed25519 key."""

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
"""Both limits are those of Go's ``note.Open``: beyond them independent readers refuse the note."""

_DASH = "\u2014 "
_KEY_ID_BYTES = 4
_ED25519_BYTES = 32
_KEY_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
"""Any control character other than newline."""
_STEP = "note"


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, its four bytes of identity, and the signature."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text (ending in a newline) and its signatures, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    def print(self) -> bytes:
        """Return the note's bytes; ``parse_note`` gives the same note back."""
        return (self.text + "\n" + "".join(map(print_signature_line, self.signatures))).encode()


def is_key_name(name: str) -> bool:
    """Say whether C2SP allows the name: not empty, no white space, no plus sign, no control character."""
    return _KEY_NAME.fullmatch(name) is not None


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Return the key's four bytes: SHA-256(name ‖ newline ‖ algorithm ‖ public key), cut."""
    material = name.encode() + b"\n" + bytes([algorithm]) + public_key
    return sha256(material).digest()[:_KEY_ID_BYTES]


def decode_base64(text: str, *, step: str, what: str) -> bytes:
    """Return the bytes of standard padded base64 that has exactly one spelling.

    Raises:
        VerificationError: it is not that.
    """
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise VerificationError(step=step, reason=f"{what} is not base64") from error
    if base64.b64encode(value).decode() != text:
        raise VerificationError(step=step, reason=f"{what} is not in base64's one canonical spelling")
    return value


def parse_note(data: bytes) -> Note:
    """Return the note in the bytes, with its signatures unchecked.

    Raises:
        VerificationError: the bytes are not one well-formed note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise VerificationError(step=_STEP, reason=f"more than {MAX_NOTE_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError(step=_STEP, reason="not UTF-8") from error
    if _CONTROL.search(whole):
        raise VerificationError(step=_STEP, reason="a control character other than newline")
    cut = whole.rfind("\n\n")
    if cut < 0:
        raise VerificationError(step=_STEP, reason="no empty line before signatures")
    text, block = whole[: cut + 1], whole[cut + 2 :]
    if not block.endswith("\n"):
        raise VerificationError(step=_STEP, reason="the last signature line has no newline")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise VerificationError(step=_STEP, reason=f"more than {MAX_SIGNATURES} signatures")
    return Note(text, tuple(_parse_signature(line) for line in lines))


def open_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> tuple[str, tuple[str, ...]]:
    """Return the note's text and the names of the given keys that signed it, at least one.

    A line of an unknown key is ignored. A line of a known key that does not verify refuses the whole note.

    Raises:
        VerificationError: not a note, a known key's signature is wrong, or no known key signed.
    """
    note = parse_note(data)
    signed = keys_that_signed(note, verifiers)
    if not signed:
        names = ", ".join(verifier.name for verifier in verifiers)
        raise VerificationError(step=_STEP, reason=f"no signature of {names}")
    return note.text, tuple(name for name, _ in signed)


def keys_that_signed(note: Note, verifiers: Sequence[NoteVerifier]) -> dict[tuple[str, bytes], bytes]:
    """Return name and key id of each given key that signed the note, in the lines' order, with its signature.

    Raises:
        VerificationError: a given key's signature is wrong.
    """
    text = note.text.encode()
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    signed: dict[tuple[str, bytes], bytes] = {}
    for line in note.signatures:
        identity = (line.name, line.key_id)
        verifier = known.get(identity)
        if verifier is None or identity in signed:
            continue
        if not verifier.is_signed(text, line.value):
            raise VerificationError(step=_STEP, reason=f"the signature of {line.name} is wrong")
        signed[identity] = line.value
    return signed


def are_signers_of(data: bytes, signers: Sequence[NoteSigner]) -> bool:
    """Say whether a note that was checked before bears a line of each of these keys."""
    lines = {(line.name, line.key_id) for line in parse_note(data).signatures}
    return lines.issuperset((signer.name, signer.key_id) for signer in signers)


def add_signatures(data: bytes, signatures: Sequence[Signature]) -> bytes:
    """Return the note with further lines after those that it has."""
    note = parse_note(data)
    return Note(note.text, note.signatures + tuple(signatures)).print()


def parse_signature_lines(data: bytes) -> tuple[Signature, ...]:
    """Return the signatures in lines that stand without their note, as a witness answers them.

    Raises:
        VerificationError: the bytes are not one or more well-formed lines, or too many.
    """
    note = parse_note(b"\n\n" + data)
    if note.text != "\n":
        raise VerificationError(step=_STEP, reason="an empty line among signature lines")
    return note.signatures


def print_signature_line(signature: Signature) -> str:
    """Return one line with its newline."""
    return f"{_DASH}{signature.name} {base64.b64encode(signature.key_id + signature.value).decode()}\n"


def print_vkey(name: str, algorithm: int, public_key: bytes) -> str:
    """Return a key as C2SP's text for verifier keys."""
    material = base64.b64encode(bytes([algorithm]) + public_key).decode()
    return f"{name}+{key_id(name, algorithm, public_key).hex()}+{material}"


def read_vkey(vkey: str, algorithm: int) -> tuple[str, bytes]:
    """Return the name and the 32 bytes of an Ed25519 key whose signatures are of the given kind.

    Raises:
        InvalidInputError: it is no such key, or its hash is not its key's.
    """
    kind = {ED25519: "an Ed25519 key"}.get(algorithm, f"an Ed25519 key of the kind {algorithm:#04x}")
    wrong = InvalidInputError(field="vkey", value=vkey, allowed=f"name+hash+base64 of {kind} (C2SP signed-note)")
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not re.fullmatch(r"[0-9a-f]{8}", parts[1]) or not is_key_name(parts[0]):
        raise wrong
    try:
        material = decode_base64(parts[2], step=_STEP, what="vkey")
    except VerificationError as error:
        raise wrong from error
    if len(material) != 1 + _ED25519_BYTES or material[0] != algorithm:
        raise wrong
    if key_id(parts[0], algorithm, material[1:]).hex() != parts[1]:
        raise wrong
    return parts[0], material[1:]


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """Return the note's bytes: the text signed by each key, in the order given.

    Raises:
        InvalidInputError: the text does not end with a newline or holds what a note may not hold.
    """
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise InvalidInputError(field="text", value=repr(text[-40:]), allowed="printable text ending with a newline")
    signatures = tuple(Signature(signer.name, signer.key_id, signer.sign(text.encode())) for signer in signers)
    return Note(text, signatures).print()


def _parse_signature(line: str) -> Signature:
    """Return one signature line's parts.

    Raises:
        VerificationError: it is not "— name base64".
    """
    if not line.startswith(_DASH):
        raise VerificationError(step=_STEP, reason="a signature line does not begin with a dash")
    name, separator, encoded = line[len(_DASH) :].partition(" ")
    if not separator or not is_key_name(name):
        raise VerificationError(step=_STEP, reason="a signature line has no proper key name")
    value = decode_base64(encoded, step=_STEP, what="a signature")
    if len(value) <= _KEY_ID_BYTES:
        raise VerificationError(step=_STEP, reason="a signature is shorter than its key's identity")
    return Signature(name, value[:_KEY_ID_BYTES], value[_KEY_ID_BYTES:])


class NamedKey:
    """A named Ed25519 key, given as its bytes or as a C2SP vkey ``name+hash+base64``.

    A subclass says what its signatures are: their kind, and when one is good.
    """

    __slots__ = ("_key", "_key_id", "_name", "_public")
    KIND: ClassVar[int]

    def __init__(self, name: str, public_key: bytes) -> None:
        """Take the key's name and its 32 bytes.

        Raises:
            InvalidInputError: the name is not a key name or the key is not an Ed25519 key.
        """
        if not is_key_name(name):
            raise InvalidInputError(field="key name", value=name, allowed="text without white space and plus signs")
        if len(public_key) != _ED25519_BYTES:
            raise InvalidInputError(field="public key", value=f"{len(public_key)} bytes", allowed="32 bytes")
        self._name = name
        self._public = public_key
        self._key = Ed25519PublicKey.from_public_bytes(public_key)
        self._key_id = key_id(name, self.KIND, public_key)

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read ``name+hash+base64`` of a key of this kind.

        Raises:
            InvalidInputError: it is no such key, or its hash is not its key's.
        """
        return cls(*read_vkey(vkey, cls.KIND))

    @property
    def name(self) -> str:
        """The key's name."""
        return self._name

    @property
    def key_id(self) -> bytes:
        """The four bytes before each of its signatures."""
        return self._key_id

    @property
    def public_key(self) -> bytes:
        """The key's 32 bytes."""
        return self._public

    @property
    def vkey(self) -> str:
        """The key as text that ``from_vkey`` reads."""
        return print_vkey(self._name, self.KIND, self._public)


class Ed25519Verifier(NamedKey):
    """Checks notes with one plain Ed25519 key."""

    __slots__ = ()
    KIND = ED25519

    def is_signed(self, text: bytes, signature: bytes) -> bool:
        """Say whether the signature over the text is this key's."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Ed25519Signer:
    """Signs notes with one Ed25519 key. Its ``repr`` never shows the secret."""

    __slots__ = ("_key", "_verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the key's name and its 32 secret bytes.

        Raises:
            InvalidInputError: the name is not a key name or the seed is not 32 bytes.
        """
        if len(seed) != _ED25519_BYTES:
            raise InvalidInputError(field="seed", value=f"{len(seed)} bytes", allowed="32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._verifier = Ed25519Verifier(name, self._key.public_key().public_bytes_raw())

    @property
    def name(self) -> str:
        """The key's name."""
        return self._verifier.name

    @property
    def key_id(self) -> bytes:
        """The four bytes before each of its signatures."""
        return self._verifier.key_id

    @property
    def public_key(self) -> bytes:
        """The public key's 32 bytes."""
        return self._verifier.public_key

    @property
    def vkey(self) -> str:
        """The public key as text, to give to those who check."""
        return self._verifier.vkey

    def sign(self, text: bytes) -> bytes:
        """Return the 64-byte signature over the text."""
        return self._key.sign(text)
