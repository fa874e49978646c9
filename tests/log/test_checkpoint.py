from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.checkpoint import MAX_SIZE, Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from ledger.log.note import Ed25519Signer, Ed25519Verifier, sign_note
from ledger.log.tree import EMPTY_ROOT

LOG = Ed25519Signer("example.org/log", bytes(32))
WITNESS = Ed25519Signer("witness.example", bytes(range(32)))
KEY = Ed25519Verifier.from_vkey(LOG.vkey)
ROOT = base64.b64encode(bytes(32)).decode()

extension_lines = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n"), min_size=1, max_size=9)


@given(st.integers(1, MAX_SIZE), st.binary(min_size=32, max_size=32), st.lists(extension_lines, max_size=3))
def test_checkpoint_round_trips(size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint("example.org/log", size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_signed_checkpoint_is_opened_with_its_key() -> None:
    checkpoint = Checkpoint("example.org/log", 7, bytes(32))
    note = sign_checkpoint(checkpoint, [LOG, WITNESS])
    assert open_checkpoint(note, KEY) == checkpoint
    assert open_checkpoint(note, KEY, witnesses=[Ed25519Verifier.from_vkey(WITNESS.vkey)]) == checkpoint


def test_checkpoint_signed_by_a_witness_alone_is_refused() -> None:
    note = sign_checkpoint(Checkpoint("example.org/log", 7, bytes(32)), [WITNESS])
    with pytest.raises(VerificationError, match=r"not signed by example\.org/log"):
        open_checkpoint(note, KEY, witnesses=[Ed25519Verifier.from_vkey(WITNESS.vkey)])


def test_checkpoint_of_another_origin_is_refused() -> None:
    note = sign_note(Checkpoint("example.org/other", 7, bytes(32)).text(), [LOG])
    with pytest.raises(VerificationError, match=r"origin is example\.org/other"):
        open_checkpoint(note, KEY)
    assert open_checkpoint(note, KEY, origin="example.org/other").size == 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        f"o\n1\n{ROOT}",
        f"o\n01\n{ROOT}\n",
        f"o\n-1\n{ROOT}\n",
        f"o\n+1\n{ROOT}\n",
        f"o\n1 \n{ROOT}\n",
        f"o\n١\n{ROOT}\n",
        f"o\n9223372036854775808\n{ROOT}\n",
        f"o\n{'9' * 30}\n{ROOT}\n",
        f"\n1\n{ROOT}\n",
        f"o o\n1\n{ROOT}\n",
        f"o\n1\n{ROOT[:-4]}\n",
        f"o\n1\n{ROOT[:-2]}B=\n",
        f"o\n1\n{ROOT}\n\n",
        f"o\n0\n{ROOT}\n",
    ],
)
def test_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(VerificationError):
        parse_checkpoint(text)


def test_empty_tree_has_the_empty_root() -> None:
    checkpoint = Checkpoint("o", 0, EMPTY_ROOT)
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("a b", 1, bytes(32)),
        Checkpoint("", 1, bytes(32)),
        Checkpoint("o", -1, bytes(32)),
        Checkpoint("o", MAX_SIZE + 1, bytes(32)),
        Checkpoint("o", 1, bytes(31)),
        Checkpoint("o", 1, bytes(32), ("",)),
        Checkpoint("o", 1, bytes(32), ("a\nb",)),
    ],
)
def test_checkpoint_that_nobody_could_read_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(InvalidInputError):
        checkpoint.text()
