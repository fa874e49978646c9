"""The migrations that ship give the schema that the code uses, on a new file and on one of another time."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.store.database import HEAD, Database
from ledger.store.migrations import configuration, upgrade
from ledger.store.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "index.db")
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, METADATA) == []
        inspected = sa.inspect(connection)
        for table in METADATA.sorted_tables:
            held = {column["name"]: str(column["type"]) for column in inspected.get_columns(table.name)}
            assert held == {column.name: column.type.compile(connection.dialect) for column in table.columns}
    database.close()


def test_the_newest_migration_is_the_one_the_code_names() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]


def test_an_index_of_the_first_schema_is_brought_to_the_newest(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'index.db'}")
    with engine.begin() as connection:
        upgrade(connection, None, "index_0001")
        connection.execute(sa.text("INSERT INTO tallies VALUES ('events', 7)"))
    engine.dispose()
    database = Database.open(tmp_path / "index.db")
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": False}), METADATA) == []
        assert connection.execute(sa.text("SELECT count FROM tallies")).scalars().all() == [7]
    database.close()


def test_opening_again_keeps_everything(tmp_path: Path) -> None:
    for _ in range(2):
        database = Database.open(tmp_path / "index.db")
        with database.write() as connection:
            connection.execute(sa.text("UPDATE cursor SET timestamp = timestamp + 1"))
        database.close()
    with sqlite3.connect(tmp_path / "index.db") as plain:
        assert plain.execute("SELECT timestamp FROM cursor").fetchall() == [(2,)]
    plain.close()


def test_schema_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Database.open(tmp_path / "index.db").close()
    with sqlite3.connect(tmp_path / "index.db") as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.close()
    with pytest.raises(IntegrityError, match="another version"):
        Database.open(tmp_path / "index.db")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        Database.open(tmp_path / "index.db")


def test_a_folder_in_the_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "index.db").mkdir()
    with pytest.raises(UnavailableError):
        Database.open(tmp_path / "index.db")


def test_reset_drops_what_is_there_even_tables_of_nobody(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "index.db")
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE strange (a INTEGER)"))
        connection.execute(sa.text("UPDATE cursor SET block = 7"))
    database.reset()
    with database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {*METADATA.tables, "alembic_version"}
        assert connection.execute(sa.text("SELECT block FROM cursor")).scalars().all() == [-1]
    database.close()


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database.open(tmp_path / "index.db").close()
    assert (tmp_path / "index.db").stat().st_mode & 0o777 == 0o600


def test_every_table_can_be_made_on_postgresql() -> None:
    dialect = postgresql.dialect()
    for table in METADATA.sorted_tables:
        made = str(CreateTable(table).compile(dialect=dialect))
        assert "CREATE TABLE" in made
        assert "rowid" not in made.lower()
        for index in table.indexes:
            assert len(str(index.name)) < 64
            assert "CREATE" in str(CreateIndex(index).compile(dialect=dialect))
