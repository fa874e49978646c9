from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.note import Ed25519Signer, Ed25519Verifier, Note, Signature, open_note, parse_note, sign_note

LOG = Ed25519Signer("example.org/log", bytes(range(32)))
WITNESS = Ed25519Signer("witness.example", bytes(range(1, 33)))
LOG_KEY = Ed25519Verifier.from_vkey(LOG.vkey)
WITNESS_KEY = Ed25519Verifier.from_vkey(WITNESS.vkey)
TEXT = "example.org/log\n1\nabc\n"

# The example key and note of Go's golang.org/x/mod/sumdb/note documentation.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_note_of_another_implementation_is_accepted() -> None:
    text, names = open_note(GO_NOTE.encode(), [Ed25519Verifier.from_vkey(GO_VKEY)])
    assert names == ("PeterNeumann",)
    assert text.endswith("problem is.\n")
    assert parse_note(GO_NOTE.encode()).print() == GO_NOTE.encode()


def test_several_keys_sign_and_unknown_ones_are_ignored() -> None:
    note = sign_note(TEXT, [LOG, WITNESS])
    assert open_note(note, [LOG_KEY, WITNESS_KEY]) == (TEXT, ("example.org/log", "witness.example"))
    assert open_note(note, [WITNESS_KEY]) == (TEXT, ("witness.example",))


def test_note_without_a_known_key_is_refused() -> None:
    with pytest.raises(VerificationError, match=r"no signature of witness\.example"):
        open_note(sign_note(TEXT, [LOG]), [WITNESS_KEY])


def test_wrong_signature_of_a_known_key_refuses_the_note() -> None:
    good = parse_note(sign_note(TEXT, [LOG, WITNESS]))
    witness = good.signatures[1]
    forged = Note(TEXT, (good.signatures[0], Signature(witness.name, witness.key_id, bytes(64))))
    with pytest.raises(VerificationError, match=r"signature of witness\.example is wrong"):
        open_note(forged.print(), [LOG_KEY, WITNESS_KEY])
    assert open_note(forged.print(), [LOG_KEY]) == (TEXT, ("example.org/log",))


def test_same_name_with_another_key_is_another_signer() -> None:
    impostor = Ed25519Signer("example.org/log", bytes(32))
    with pytest.raises(VerificationError, match="no signature"):
        open_note(sign_note(TEXT, [impostor]), [LOG_KEY])


@given(st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    note = bytearray(sign_note(TEXT, [LOG]))
    bit = data.draw(st.integers(0, len(note) * 8 - 1))
    note[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VerificationError):
        open_note(bytes(note), [LOG_KEY])


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(VerificationError):
        open_note(data, [LOG_KEY])


LINE = sign_note(TEXT, [LOG]).decode().splitlines()[-1]


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{LINE}",
        f"{TEXT}\n{LINE}\n\n",
        f"{TEXT}\n{LINE}\n{LINE[2:]}\n",
        f"{TEXT}\n{LINE.replace('— ', '- ')}\n",
        f"{TEXT}\n{LINE} x\n",
        f"{TEXT}\n{LINE.rstrip('=')}\n",
        f"{TEXT}\n— example.org/log AAAA\n",
        f"{TEXT}\n— a+b {LINE.split()[-1]}\n",
        f"a\tb\n\n{LINE}\n",
        f"{TEXT}\n" + f"{LINE}\n" * 101,
    ],
    ids=[
        "no signature", "empty block", "no last newline", "empty line after", "line without dash", "other dash",
        "three fields", "no padding", "short signature", "plus in name", "control character", "too many",
    ],
)  # fmt: skip
def test_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(VerificationError):
        open_note(note.encode(), [LOG_KEY])


def test_note_that_is_too_long_is_refused() -> None:
    with pytest.raises(VerificationError, match="more than 1000000 bytes"):
        parse_note(b"x" * 1_000_001)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.org/log",
        LOG.vkey.replace("+", " ", 1),
        LOG.vkey[:-4],
        f"other{LOG.vkey}",
        LOG.vkey.replace("+A", "+B"),
        "a b" + LOG.vkey[len("example.org/log") :],
    ],
)
def test_vkey_that_is_not_an_ed25519_key_is_refused(vkey: str) -> None:
    with pytest.raises(InvalidInputError):
        Ed25519Verifier.from_vkey(vkey)


def test_vkey_round_trips() -> None:
    assert Ed25519Verifier.from_vkey(GO_VKEY).vkey == GO_VKEY
    assert LOG_KEY.vkey == LOG.vkey


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_signer_refuses_a_name_that_no_key_may_have(name: str) -> None:
    with pytest.raises(InvalidInputError, match="key name"):
        Ed25519Signer(name, bytes(32))


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(64)])
def test_signer_refuses_a_seed_of_another_length(seed: bytes) -> None:
    with pytest.raises(InvalidInputError, match="seed"):
        Ed25519Signer("a", seed)


@pytest.mark.parametrize("text", ["", "no newline", "a\x00b\n"])
def test_signing_refuses_a_text_that_no_note_may_have(text: str) -> None:
    with pytest.raises(InvalidInputError, match="text"):
        sign_note(text, [LOG])


def test_secret_is_not_shown() -> None:
    assert bytes(range(32)).hex() not in repr(LOG)
