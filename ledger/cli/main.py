"""The ``quanze`` command: one Typer group a noun, each verb a thin call of one use-case.

``app`` is the entry point. It runs the command and turns what went wrong into the exit codes of
``ledger.cli.exit_codes``; no traceback reaches a user unless ``QUANZE_DEBUG`` is set.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from ledger import __version__
from ledger.cli import evidence, exit_codes, maintenance, output
from ledger.cli.agreements import agreement
from ledger.cli.cases import case
from ledger.cli.commands import COMMON, Commands, Common, HomeOption, JSONOption, LangOption, remember
from ledger.cli.events import event
from ledger.cli.imports import imports
from ledger.cli.log import log
from ledger.cli.logs import log_warnings
from ledger.cli.monitor import monitor
from ledger.cli.registry import agency, catalogue, key, post
from ledger.cli.responsibilities import responsibility
from ledger.cli.witness import witness
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Sequence

commands = Commands(
    name="quanze",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="An audit ledger for data sharing between agencies.",
)


@commands.callback()
def root(home: HomeOption = None, json: JSONOption = False, lang: LangOption = None) -> None:
    """An audit ledger for data sharing between agencies."""
    remember(home, json, lang)


@commands.command()
def version() -> None:
    """Print the version of this program."""
    output.show({"version": __version__}, lambda out, found: out.print(f"quanze {found['version']}"))


maintenance.register(commands)
for noun in (agency, post, key, catalogue, agreement, responsibility, case, event, imports, log, monitor, witness):
    commands.add_typer(noun)
evidence.register(commands)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    COMMON.set(Common())
    log_warnings()
    try:
        outcome = commands(args=list(arguments), prog_name="quanze", standalone_mode=False)
    except typer.Exit as leave:
        return leave.exit_code
    except typer.Abort:
        sys.stderr.write("Aborted.\n")
        return exit_codes.WRONG_USAGE
    except (LedgerError, exit_codes.RemoteError) as error:
        if os.environ.get("QUANZE_DEBUG"):
            raise
        message = error.explain() if isinstance(error, LedgerError) else error.message
        output.complain(error.code, message)
        return exit_codes.exit_code_of(error)
    except OSError as error:
        if os.environ.get("QUANZE_DEBUG"):
            raise
        # Whatever a disk or a permission refused that no part has a word of its own for.
        where = f"{error.filename}: " if error.filename else ""
        output.complain("unavailable", f"{where}{error.strerror or type(error).__name__}.")
        return exit_codes.UNAVAILABLE
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # Typer's own errors have no public base; any other one is raised again.
        if hasattr(error, "show") and hasattr(error, "format_message"):  # Typer's usage errors.
            if "--json" in arguments:
                output.complain_as_json("wrong_usage", error.format_message())
            else:
                error.show()
            return exit_codes.WRONG_USAGE
        raise
    return outcome if isinstance(outcome, int) else exit_codes.DONE


def app() -> None:
    """Run the command line of this process and exit."""
    sys.exit(run(sys.argv[1:]))
