"""``quanze agency|post|key|catalogue``: who may act, with which key, and what can be shared."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.calls import call_and_show
from ledger.cli.commands import group

agency = group("agency", "Agencies and their names.")
post = group("post", "Posts of agencies, which hold the roles.")
key = group("key", "Keys in this home, and their bindings to posts.")
catalogue = group("catalogue", "Datasets and whether they may be shared.")

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@agency.command("add")
def add_agency(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="scheme:value, as uscc:119900000000A00135.")],
    name_zh: Annotated[str, typer.Option("--name-zh", help="Name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option("--name-en", help="Name in English.")] = "",
    capacities: Annotated[
        str, typer.Option("--capacities", help="Roles beyond the common ones that its posts may hold, by comma.")
    ] = "",
    key: Annotated[str, typer.Option("--key", help="Name of its root key here (made when absent).")] = "",
) -> None:
    """Admit an agency under its own root key."""
    call_and_show(
        "agency.add",
        agency=identifier,
        name_zh=name_zh,
        name_en=name_en,
        capacities=_list(capacities),
        root_key=key,
    )


@agency.command("list")
def list_agencies() -> None:
    """List the agencies."""
    call_and_show("agency.list")


@agency.command("show")
def show_agency(identifier: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show an agency with its posts."""
    call_and_show("agency.show", agency=identifier)


@post.command("add")
def add_post(
    identifier: Annotated[str, typer.Argument(metavar="CODE@AGENCY", help="As office-head@uscc:119900000000A00135.")],
    roles: Annotated[str, typer.Option("--roles", help="Roles by comma, as DEPT_HEAD,PROVIDER_OFFICE_HEAD.")],
    name_zh: Annotated[str, typer.Option("--name-zh", help="Name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option("--name-en", help="Name in English.")] = "",
    key: Annotated[
        str, typer.Option("--key", help="Bind this key to the post as well (made when absent); `-` binds none.")
    ] = "-",
) -> None:
    """Register a post, signed by the agency's root key."""
    call_and_show(
        "post.add",
        post=identifier,
        roles=_list(roles),
        name_zh=name_zh,
        name_en=name_en,
        key="" if key == "-" else key,
    )


@post.command("list")
def list_posts(agency: Annotated[str, typer.Option("--agency", help="Only of this agency.")] = "") -> None:
    """List the posts."""
    call_and_show("post.list", agency=agency)


@post.command("show")
def show_post(identifier: Annotated[str, typer.Argument(metavar="CODE@AGENCY")]) -> None:
    """Show a post with its keys."""
    call_and_show("post.show", post=identifier)


@key.command("new")
def new_key(name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in this home.")]) -> None:
    """Make a key and keep it encrypted in this home."""
    call_and_show("key.new", name=name)


@key.command("list")
def list_keys() -> None:
    """List the keys of this home by name and address."""
    call_and_show("key.list")


@key.command("bind")
def bind_key(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    post: Annotated[str, typer.Option("--post", help="CODE@AGENCY.")],
    until: Annotated[str, typer.Option("--until", help="Instant with offset, or a date; open-ended without.")] = "",
) -> None:
    """Bind a key to a post: signed by the agency's root key and by the key itself."""
    call_and_show("key.bind", name=name, post=post, until=until)


@key.command("rotate")
def rotate_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new key (made when absent).")],
    post: Annotated[str, typer.Option("--post", help="CODE@AGENCY.")],
    old: Annotated[
        str, typer.Option("--old", help="Name of the key it replaces (the post's only one by default).")
    ] = "",
) -> None:
    """Replace a post's key by a new one, from now on."""
    call_and_show("key.rotate", name=name, post=post, old=old)


@catalogue.command("add")
def add_entry(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="AGENCY#CODE.")],
    as_post: Annotated[str, typer.Option("--as", help="The department head that publishes it, CODE@AGENCY.")],
    name_zh: Annotated[str, typer.Option("--name-zh", help="Name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option("--name-en", help="Name in English.")] = "",
    attribute: Annotated[str, typer.Option(help="UNCONDITIONAL, CONDITIONAL or NOT_SHARED.")] = "CONDITIONAL",
    grade: Annotated[str, typer.Option(help="GENERAL, IMPORTANT or CORE.")] = "GENERAL",
    law: Annotated[str, typer.Option(help="scheme:value; required for NOT_SHARED.")] = "",
    review_required: Annotated[
        bool, typer.Option("--review-required/--no-review-required", help="Whether sharing it needs a security review.")
    ] = False,
    key: Annotated[str, typer.Option("--key", help="The signing key's name here.")] = "",
) -> None:
    """Publish a new version of a dataset's entry."""
    call_and_show(
        "catalogue.add",
        dataset=dataset,
        post=as_post,
        name_zh=name_zh,
        name_en=name_en,
        attribute=attribute,
        grade=grade,
        law=law,
        review_required=review_required,
        key=key,
    )


@catalogue.command("list")
def list_entries(agency: Annotated[str, typer.Option("--agency", help="Only of this agency.")] = "") -> None:
    """List the catalogue's entries."""
    call_and_show("catalogue.list", agency=agency)


@catalogue.command("show")
def show_entry(dataset: Annotated[str, typer.Argument(metavar="DATASET")]) -> None:
    """Show a dataset with all its versions."""
    call_and_show("catalogue.show", dataset=dataset)


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
