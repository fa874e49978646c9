"""``quanze responsibility``: which post answers for which duty, and since when."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.calls import call_and_show
from ledger.cli.commands import group
from ledger.cli.options import AsOption, AtOption, KeyOption, KnownAtOption, ReasonOption

responsibility = group("responsibility", "Duties: who answers for them, when, and in what role.")

DutyArgument = Annotated[str, typer.Argument(metavar="DUTY", help="As DELIVER or USE_WITHIN_SCOPE.")]
ObjectArgument = Annotated[
    str, typer.Argument(metavar="OBJECT", help="Agreement, dataset (AGENCY#CODE) or `platform`.")
]
AssignmentArgument = Annotated[
    str, typer.Argument(metavar="ASSIGNMENT", help="Its id in hex, or a prefix of 8 digits.")
]
BasisOption = Annotated[str, typer.Option("--basis", help="scheme:value, or a text that stays private.")]


@responsibility.command("assign")
def assign(
    duty: DutyArgument,
    obj: ObjectArgument,
    to: Annotated[str, typer.Option("--to", metavar="POST", help="The post that is to answer.")],
    as_post: AsOption,
    role: Annotated[str, typer.Option(help="LEAD, SUPPORT, SUPERVISE or ENTRUSTED.")] = "LEAD",
    share_bps: Annotated[int, typer.Option("--share-bps", help="Share in basis points; 0 states none.")] = 0,
    since: Annotated[str, typer.Option("--from", help="Instant or date; now by default.")] = "",
    until: Annotated[str, typer.Option("--to-time", help="Instant or date; open-ended by default.")] = "",
    basis: BasisOption = "",
    key: KeyOption = "",
) -> None:
    """Assign a duty; it counts once the post accepts."""
    call_and_show(
        "responsibility.assign",
        duty=duty,
        object=obj,
        assignee=to,
        post=as_post,
        role=role,
        share_bps=share_bps,
        valid_from=since,
        valid_to=until,
        basis=basis,
        key=key,
    )


@responsibility.command("accept")
def accept(assignment: AssignmentArgument, as_post: AsOption = "", key: KeyOption = "") -> None:
    """Accept a duty that was assigned."""
    call_and_show("responsibility.accept", assignment=assignment, post=as_post, key=key)


@responsibility.command("hand-over")
def hand_over(
    assignment: AssignmentArgument,
    to: Annotated[str, typer.Option("--to", metavar="POST", help="The post that takes over once it accepts.")],
    as_post: AsOption,
    at: Annotated[str, typer.Option("--at", help="When; now by default.")] = "",
    basis: BasisOption = "",
    key: KeyOption = "",
) -> None:
    """End a duty here and propose it to another post."""
    call_and_show("responsibility.hand-over", assignment=assignment, to=to, post=as_post, at=at, basis=basis, key=key)


@responsibility.command("vacate")
def vacate(
    assignment: AssignmentArgument,
    as_post: AsOption,
    reason: ReasonOption = "",
    at: Annotated[str, typer.Option("--at", help="When; now by default.")] = "",
    key: KeyOption = "",
) -> None:
    """End a duty with nobody following, or revoke one not accepted."""
    call_and_show("responsibility.vacate", assignment=assignment, post=as_post, at=at, reason=reason, key=key)


@responsibility.command("who")
def who(duty: DutyArgument, obj: ObjectArgument, at: AtOption = "", known_at: KnownAtOption = "") -> None:
    """Say who answered for a duty at a time."""
    call_and_show("responsibility.who", duty=duty, object=obj, at=at, known_at=known_at)


@responsibility.command("list")
def list_all(
    obj: Annotated[str, typer.Option("--object", help="Only of this object.")] = "",
    post: Annotated[str, typer.Option("--post", help="Only of this post.")] = "",
) -> None:
    """List the assignments."""
    call_and_show("responsibility.list", object=obj, post=post)
