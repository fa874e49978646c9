from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.log.cosignature import MAX_TIME, CosignatureVerifier, Cosigner, time_of
from ledger.log.note import Ed25519Signer, Ed25519Verifier, key_id, parse_note

SEED = bytes(range(32))
LOG = Ed25519Signer("example.org/log", SEED)
KEY = Ed25519Verifier.from_vkey(LOG.vkey)
TEXT = b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SPEC_LINE = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
"""The witness's line in the example of C2SP tlog-cosignature; its public key is not published there."""


def test_signed_message_is_header_time_and_the_whole_text() -> None:
    value = Cosigner.from_seed("witness.example/w", SEED, lambda: 1679315147).sign(TEXT)
    message = b"cosignature/v1\ntime 1679315147\n" + TEXT
    Ed25519PrivateKey.from_private_bytes(SEED).public_key().verify(value[8:], message)
    assert value[:8] == (1679315147).to_bytes(8, "big")


def test_the_specs_example_line_has_the_layout_that_is_read_here() -> None:
    line = base64.b64decode(SPEC_LINE)
    assert len(line) == 4 + 72
    assert time_of(line[4:]) == 1679315147


def test_key_id_and_vkey_are_those_of_the_kind_4() -> None:
    cosigner = Cosigner.from_seed("witness.example/w", SEED, lambda: 0)
    verifier = CosignatureVerifier.from_vkey(cosigner.vkey)
    assert verifier.vkey == cosigner.vkey
    assert verifier.key_id == key_id("witness.example/w", 0x04, verifier.public_key) == cosigner.key_id
    assert base64.b64decode(cosigner.vkey.split("+", 2)[2])[0] == 0x04


@pytest.mark.parametrize("vkey", [LOG.vkey, "", "a+b+c", LOG.vkey.replace("98af023b", "00000000")])
def test_vkey_of_another_kind_is_refused(vkey: str) -> None:
    with pytest.raises(InvalidInputError, match="vkey"):
        CosignatureVerifier.from_vkey(vkey)


def test_a_cosigners_vkey_is_no_logs_vkey() -> None:
    with pytest.raises(InvalidInputError, match="vkey"):
        Ed25519Verifier.from_vkey(Cosigner.from_seed("w", SEED, lambda: 0).vkey)


@given(st.integers(0, MAX_TIME), st.integers(0, 71), st.integers(0, 7))
def test_any_flipped_bit_of_a_cosignature_is_noticed(time: int, place: int, bit: int) -> None:
    cosigner = Cosigner.from_seed("w", SEED, lambda: time)
    verifier = CosignatureVerifier.from_vkey(cosigner.vkey)
    value = bytearray(cosigner.sign(TEXT))
    assert verifier.is_signed(TEXT, bytes(value))
    value[place] ^= 1 << bit
    assert not verifier.is_signed(TEXT, bytes(value))


@pytest.mark.parametrize("value", [b"", bytes(71), bytes(73), b"\xff" * 72])
def test_a_value_of_another_form_is_no_cosignature(value: bytes) -> None:
    assert not CosignatureVerifier.from_vkey(Cosigner.from_seed("w", SEED, lambda: 0).vkey).is_signed(TEXT, value)


def test_a_plain_signature_is_no_cosignature_and_the_reverse() -> None:
    cosigner = Cosigner.from_seed("example.org/log", SEED, lambda: 7)
    assert not KEY.is_signed(TEXT, cosigner.sign(TEXT)[8:])
    assert not CosignatureVerifier.from_vkey(cosigner.vkey).is_signed(TEXT, bytes(8) + LOG.sign(TEXT))


@pytest.mark.parametrize("time", [-1, MAX_TIME + 1])
def test_a_time_that_the_format_lacks_is_not_signed(time: int) -> None:
    with pytest.raises(InvalidInputError, match="time"):
        Cosigner.from_seed("w", SEED, lambda: time).sign(TEXT)


def test_a_log_that_only_cosigned_did_not_sign() -> None:
    own = Cosigner.from_seed(LOG.name, SEED, lambda: 7)
    checkpoint = Checkpoint(LOG.name, 7, bytes(32))
    both = sign_checkpoint(checkpoint, [LOG, own])
    known = CosignatureVerifier.from_vkey(own.vkey)
    assert open_checkpoint(both, KEY, witnesses=[known]) == checkpoint
    assert [line.name for line in parse_note(both).signatures] == [LOG.name, LOG.name]
    with pytest.raises(VerificationError, match="not signed by"):
        open_checkpoint(sign_checkpoint(checkpoint, [own]), KEY, witnesses=[known])


TORCHWOOD_VKEY = "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
TORCHWOOD_NOTE = """example.org/log
3
Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=

— witness.example/w1 519lMgAAAABrBci0LNnTxk0e/jOfFVt5CCAhrgJ10nIAXeXucpJxgPArebmLosfpjnGz\
AgKM96skNPNkI+PjbMZF2sQZkdq6TOH7DA==
"""
"""Made by Go's filippo.io/torchwood v0.9.0 with the seed 00 to 1f, over the checkpoint of docs/spec/log.md."""


def test_a_cosignature_of_torchwood_is_byte_for_byte_ours() -> None:
    line = parse_note(TORCHWOOD_NOTE.encode()).signatures[0]
    verifier = CosignatureVerifier.from_vkey(TORCHWOOD_VKEY)
    text = parse_note(TORCHWOOD_NOTE.encode()).text.encode()
    assert verifier.is_signed(text, line.value)
    ours = Cosigner.from_seed("witness.example/w1", SEED, lambda: time_of(line.value))
    assert (ours.vkey, ours.key_id, ours.sign(text)) == (TORCHWOOD_VKEY, line.key_id, line.value)
