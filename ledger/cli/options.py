"""Options that several verbs share, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

AsOption: TypeAlias = Annotated[str, typer.Option("--as", metavar="POST", help="The acting post, CODE@AGENCY.")]
KeyOption: TypeAlias = Annotated[
    str, typer.Option("--key", help="Name of the signing key here (the post's bound key by default).")
]
YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
OutputOption: TypeAlias = Annotated[Path, typer.Option("-o", "--output", help="The file to write.")]
ReasonOption: TypeAlias = Annotated[str, typer.Option("--reason", help="scheme:value, or a text that stays private.")]
AtOption: TypeAlias = Annotated[
    str, typer.Option("--at", help="As of: an instant with offset, or a date (Asia/Shanghai). Now by default.")
]
KnownAtOption: TypeAlias = Annotated[
    str, typer.Option("--known-at", help="Only what was recorded by then. Now by default.")
]


def read_input(path: str, *, limit: int = 16 << 20) -> str:
    """Return the text of a file, or of standard input for ``-``.

    Raises:
        typer.BadParameter: It is missing, too large or not UTF-8.
    """
    try:
        data = _read(path, limit + 1)
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    if len(data) > limit:
        raise typer.BadParameter(f"{path}: more than {limit} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise typer.BadParameter(f"{path}: byte {error.start} is not UTF-8") from error


def _read(path: str, size: int) -> bytes:
    if path == "-":
        return typer.get_binary_stream("stdin").read(size)
    with Path(path).open("rb") as file:
        return file.read(size)
