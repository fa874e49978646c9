"""The index's schema, version by version, run by Alembic on a connection that the caller has opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from ledger.domain.errors import IntegrityError

if TYPE_CHECKING:
    import sqlalchemy as sa

FOLDER: Final = Path(__file__).parent


def configuration() -> Config:
    """Return what Alembic needs to know, without a file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: sa.Connection, revision: str | None, to: str) -> None:
    """Bring a schema from ``revision`` (None for an empty database) to ``to``, in the caller's transaction.

    Raises:
        IntegrityError: No migration of ours leads from there.
    """
    config = configuration()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise IntegrityError("index", "its schema is of another version of the program", found=revision, newest=to)
    config.attributes["connection"] = connection
    command.upgrade(config, to)
