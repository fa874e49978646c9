from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commitment import commit
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.service.ports import VaultDocument
from ledger.store.vault import SQLiteVault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def document(number: int, *, kind: str = "event", extra: dict[str, object] | None = None) -> VaultDocument:
    values = {"detail": {"number": number}, "binding": "绑定"}
    salts = {name: number.to_bytes(16, "big") + name.encode().ljust(16) for name in values}
    made = commit(values, salts)  # type: ignore[arg-type]
    return VaultDocument(made.root, kind, "parties", made.by_name(), extra or {})


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[SQLiteVault]:
    opened = SQLiteVault(tmp_path / "vault.db")
    yield opened
    opened.close()


def test_document_survives_reopening(tmp_path: Path) -> None:
    first = SQLiteVault(tmp_path / "vault.db")
    first.put([document(1, extra={"signature": "0x00", "n": 3})])
    first.close()
    second = SQLiteVault(tmp_path / "vault.db")
    assert second.get(document(1).commitment) == document(1, extra={"signature": "0x00", "n": 3})
    second.close()


def test_put_again_changes_nothing(vault: SQLiteVault) -> None:
    vault.put([document(1), document(2)])
    vault.put([document(2), document(1)])
    vault.put([])
    assert vault.count() == 2


@pytest.mark.parametrize("other", [document(1, kind="case"), document(1, extra={"x": 1})])
def test_other_content_under_one_commitment_conflicts_and_names_both(vault: SQLiteVault, other: VaultDocument) -> None:
    vault.put([document(1)])
    with pytest.raises(ConflictError) as caught:
        vault.put([document(2), other])
    assert caught.value.fields["stored"] != caught.value.fields["given"]
    assert vault.get(document(1).commitment) == document(1)
    assert vault.find(document(2).commitment) is None


def test_groups_that_do_not_hash_to_the_commitment_are_refused(vault: SQLiteVault) -> None:
    honest = document(1)
    forged = VaultDocument(b"\x01" * 32, honest.kind, honest.tier, honest.groups, {})
    with pytest.raises(InvalidInputError, match="commitment"):
        vault.put([forged])
    assert vault.count() == 0


def test_value_outside_canonical_json_is_refused(vault: SQLiteVault) -> None:
    with pytest.raises(InvalidInputError):
        vault.put([document(1, extra={"ratio": 0.5})])


def test_unknown_commitment_is_not_found(vault: SQLiteVault) -> None:
    with pytest.raises(NotFoundError):
        vault.get(b"\x00" * 32)
    assert vault.find(b"\x00" * 32) is None


def test_iterate_gives_one_kind_in_the_order_of_writing(vault: SQLiteVault) -> None:
    vault.put([document(number, kind="event" if number % 2 else "case") for number in range(1300)])
    assert [made.commitment for made in vault.iterate("event")] == [
        document(number).commitment for number in range(1, 1300, 2)
    ]


def test_find_many_gives_those_that_are_here(vault: SQLiteVault) -> None:
    vault.put([document(number) for number in range(600)])
    wanted = [document(number).commitment for number in range(590, 610)]
    assert set(vault.find_many(wanted)) == set(wanted[:10])


@pytest.mark.parametrize("column", ["body", "kind", "digest"])
def test_altered_document_is_named_by_defects(tmp_path: Path, column: str) -> None:
    path = tmp_path / "vault.db"
    vault = SQLiteVault(path)
    vault.put([document(1), document(2), document(3)])
    alter = sqlite3.connect(path)
    value = alter.execute(f"SELECT {column} FROM documents WHERE sequence = 2").fetchone()[0]
    value = value[::-1]
    alter.execute(f"UPDATE documents SET {column} = ? WHERE sequence = 2", (value,))
    alter.commit()
    alter.close()
    assert [defect.commitment for defect in vault.defects()] == [document(2).commitment]
    with pytest.raises(IntegrityError):
        vault.get(document(2).commitment)
    assert vault.get(document(3).commitment) == document(3)
    vault.close()


def test_consistent_digest_does_not_hide_altered_groups(tmp_path: Path) -> None:
    vault = SQLiteVault(tmp_path / "vault.db")
    vault.put([document(1), document(2)])
    alter = sqlite3.connect(tmp_path / "vault.db")
    alter.execute("UPDATE documents SET commitment = ? WHERE sequence = 1", (b"\x07" * 32,))
    alter.commit()
    alter.close()
    assert [defect.commitment for defect in vault.defects()] == [b"\x07" * 32]
    vault.close()


def test_backup_is_a_whole_vault(tmp_path: Path, vault: SQLiteVault) -> None:
    vault.put([document(1)])
    vault.backup(tmp_path / "copy.db")
    copy = SQLiteVault(tmp_path / "copy.db")
    assert copy.get(document(1).commitment) == document(1)
    assert list(copy.defects()) == []
    copy.close()


def test_file_that_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(os.urandom(4096))
    with pytest.raises(IntegrityError):
        SQLiteVault(tmp_path / "vault.db")


def test_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError):
        SQLiteVault(tmp_path / "file" / "vault.db")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text('aé电\u0000"\\', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc_", min_size=1, max_size=4), inner),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(values=st.dictionaries(st.sampled_from(["binding", "exchange", "detail"]), JSON, min_size=1), extra=JSON)
def test_what_is_put_is_what_is_got(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, object], extra: object
) -> None:
    made = commit(values, {name: os.urandom(32) for name in values})  # type: ignore[arg-type]
    put = VaultDocument(made.root, "event", "sealed", made.by_name(), {"extra": extra})
    vault = SQLiteVault(tmp_path_factory.mktemp("vault") / "vault.db")
    vault.put([put])
    assert vault.get(made.root) == put
    assert list(vault.defects()) == []
    vault.close()
