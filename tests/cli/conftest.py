"""A real home and the command over it; a home in which agencies can act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.command import Command, make_settings, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def new_command(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that makes a home with nothing in it and returns the command over it."""

    def make() -> Command:
        folder = tmp_path_factory.mktemp("home")
        command = Command(folder / "home", make_settings(folder))
        command.done("init", "--origin", "quanze.example/test")
        return command

    return make


@pytest.fixture(scope="module")
def quanze(new_command: Any) -> Command:
    """The command over a home of this module's own."""
    made: Command = new_command()
    return made


@pytest.fixture(scope="module")
def world(quanze: Command) -> Iterator[Command]:
    """The command over a home that is up, and in which two agencies and an authority can act."""
    with quanze.up():
        make_world(quanze)
        yield quanze
