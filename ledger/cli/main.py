"""The entry point of the `quanze` command."""

import typer

from ledger import __version__

app = typer.Typer(name="quanze", no_args_is_help=True, help="An audit ledger for data sharing between agencies.")


@app.callback()
def root() -> None:
    """Keep the verbs as sub-commands even while there is only one."""


@app.command()
def version() -> None:
    """Print the version of this program."""
    typer.echo(f"quanze {__version__}")
