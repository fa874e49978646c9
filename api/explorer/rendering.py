"""Putting a page together: the templates, and what each of them may use.

Everything that is not written in a template is escaped. ``StrictUndefined`` makes a misspelt field a fault
that a test meets, not an empty cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from api.explorer.code_names import CODE_NAMES, TONES
from api.explorer.i18n import HTML_LANGUAGE, Language, code_name, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.service.pages.names import Name

FOLDER: Final = Path(__file__).resolve().parent
STATIC: Final = FOLDER / "static"

NAVIGATION: Final = (
    ("/", "nav.overview"),
    ("/sharing", "nav.sharing"),
    ("/agencies", "nav.agencies"),
    ("/agreements", "nav.agreements"),
    ("/responsibility", "nav.responsibility"),
    ("/notices", "nav.notices"),
    ("/log", "nav.log"),
    ("/ask", "nav.ask"),
)

_CODE: Final = re.compile(r"`([^`]+)`")
_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999: later times are shown as numbers."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one request wants its page: in what language, and whether its links must say so."""

    language: Language
    is_asked: bool
    path: str
    query: tuple[tuple[str, str], ...]
    demonstration: bool


class Pages:
    """The templates, ready to be filled."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["code"] = _with_code
        self._environment.globals["asset"] = _assets()

    def render(self, template: str, look: Look, **values: object) -> str:
        """Return a page, or a part of one, in the language of ``look``."""
        return self._environment.get_template(template).render(**_vocabulary(look), **values)


def _vocabulary(look: Look) -> dict[str, Any]:
    language = look.language

    def t(key: str, **values: object) -> str:
        return translate(language, key, **values)

    def tm(key: str, **values: Markup) -> Markup:
        """Return a message with mark-up filled in, as a name that says its language."""
        return escape(translate(language, key)).format(**values)

    def url(path: str, **values: object) -> str:
        """Return an address of ours that keeps the language asked for."""
        pairs = [(name, str(value)) for name, value in values.items() if value not in {"", None}]
        if look.is_asked:
            pairs.append(("lang", language))
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def other_language(wanted: Language) -> str:
        # One slash alone: with two, what follows would be another server's name.
        path = "/" + quote(look.path.lstrip("/"))
        return f"{path}?{urlencode([*look.query, ('lang', wanted)])}"

    def code(kind: str, value: str) -> str:
        return code_name(language, kind, value)

    def state(kind: str, value: str) -> Markup:
        tone = TONES.get(kind, {}).get(value, "muted")
        return Markup('<span class="state {}">{}</span>').format(tone, code_name(language, kind, value))

    return {
        "t": t,
        "tm": tm,
        "url": url,
        "code": code,
        "state": state,
        "name": _name_in(language),
        "say": _say_in(language),
        "when": when,
        "instant": instant,
        "dated": dated,
        "post": _post_in(language),
        "when_ms": lambda milliseconds: when(milliseconds // 1000),
        "known_code": lambda kind, value: value in CODE_NAMES[kind],
        "language": language,
        "html_language": HTML_LANGUAGE[language],
        "other_language": other_language,
        "look": look,
        "navigation": NAVIGATION,
        "demonstration": look.demonstration,
    }


def _name_in(language: Language) -> Callable[[Name], Markup]:
    """Return how a name is shown: in the page's language, else in the other one and marked as such."""

    def name(named: Name) -> Markup:
        own, other = (named.en, named.zh) if language == "en" else (named.zh, named.en)
        if own:
            return Markup('<span translate="no">{}</span>').format(own)
        if other:
            tag = HTML_LANGUAGE["zh" if language == "en" else "en"]
            return Markup('<span translate="no" lang="{}">{}</span>').format(tag, other)
        return Markup('<span translate="no">{}</span>').format(named.plain)

    return name


def _post_in(language: Language) -> Callable[[Name], Markup]:
    """Return how a post is shown: its name, and below it that of its agency."""
    name = _name_in(language)

    def post(named: Name) -> Markup:
        if named.of is None:
            return name(named)
        return Markup('{} <small class="of">{}</small>').format(name(named), name(named.of))

    return post


def _say_in(language: Language) -> Callable[[Name], str]:
    """Return how a name is said where no mark-up can be: in titles and choices."""

    def say(named: Name) -> str:
        own, other = (named.en, named.zh) if language == "en" else (named.zh, named.en)
        return own or other or named.plain

    return say


def when(seconds: int) -> Markup:
    """Return a time in UTC, for people and for machines."""
    if not 0 <= seconds <= _LAST_SECOND:
        return escape(str(seconds))
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    machine = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}</time>').format(machine, moment.strftime("%Y-%m-%d %H:%M:%S UTC"))


def dated(seconds: int, zone: str) -> Markup:
    """Return a limit of a window as it was written: the date and time in its own zone, and for machines in UTC."""
    if not 0 <= seconds <= _LAST_SECOND:
        return escape(str(seconds))
    try:
        moment = datetime.fromtimestamp(seconds, tz=ZoneInfo(zone))
    except (ValueError, OSError, ZoneInfoNotFoundError):  # A text that others kept may name a zone that is none.
        return when(seconds)
    machine = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    shown = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    return Markup('<time datetime="{}">{} <small translate="no">{} {}</small></time>').format(
        machine, moment.strftime("%Y-%m-%d"), shown, zone
    )


def instant(text: str) -> Markup:
    """Return a time that a use-case gave as text in UTC."""
    return when(int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()))


def _with_code(text: str) -> Markup:
    """Return a message with its `commands` set as code."""
    parts = _CODE.split(text)
    marked = (
        Markup('<code translate="no">{}</code>').format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )
    return Markup("").join(marked)


def _assets() -> Mapping[str, str]:
    """Return each static file's address, with the beginning of its hash so that it may be kept for ever."""
    return {
        path.name: f"/static/{path.name}?v={sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in STATIC.iterdir()
        if path.suffix in {".css", ".js", ".svg"}
    }
