"""Reads what people write by hand, YAML or JSON, into the canonical JSON subset with nothing guessed.

YAML is narrowed to what has one reading: no anchors or aliases, no tags, no duplicate keys; only ``true``,
``false``, ``null`` and decimal integers are other than text, so that ``no`` and ``2026-03-01`` stay text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from ledger.domain.canonical import Json

MAX_BYTES: Final = 1_000_000

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_WORDS: Final[dict[str, Json]] = {"true": True, "false": False, "null": None, "~": None, "": None}


def parse_text(data: bytes) -> Json:
    """Parse a YAML or JSON document.

    Raises:
        InvalidInputError: too long, not UTF-8, neither YAML nor JSON, or ambiguous; names the place.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInputError("document", f"{len(data)} bytes", f"at most {MAX_BYTES} bytes")
    if data.lstrip()[:1] in {b"{", b"["}:
        return canonical.decode(data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"byte {error.start}", data[error.start : error.start + 4], "UTF-8") from error
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            if getattr(event, "anchor", None) is not None or getattr(event, "tag", None) is not None:
                place = f"line {event.start_mark.line + 1}" if event.start_mark else "document"
                raise InvalidInputError(place, "a YAML tag, anchor or alias", "plain values only")
        node = yaml.compose(text, yaml.SafeLoader)
        value = _value(node, "$", 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" (see line {mark.line + 1} column {mark.column + 1})" if mark else ""
        raise InvalidInputError("document", error.problem or "", f"YAML{place}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInputError("document", str(error), "YAML") from error
    canonical.check(value)
    return value


def _value(node: yaml.Node | None, path: str, depth: int) -> Json:
    if depth > canonical.MAX_DEPTH:
        raise InvalidInputError(path, "nesting", f"at most {canonical.MAX_DEPTH} levels")
    match node:
        case yaml.MappingNode():
            return _mapping(node, path, depth)
        case yaml.SequenceNode():
            return [_value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(node.value)]
        case yaml.ScalarNode():
            return _scalar(node)
        case _:
            return None


def _mapping(node: yaml.MappingNode, path: str, depth: int) -> Json:
    members: dict[str, Json] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            raise InvalidInputError(path, "a key", "text keys")
        if key in members:
            raise InvalidInputError(f"{path}.{key}", key, "each key once")
        members[key] = _value(value_node, f"{path}.{key}", depth + 1)
    return members


def _scalar(node: yaml.ScalarNode) -> Json:
    text: str = node.value
    if node.style is not None:  # Quoted or block text is text, whatever it looks like.
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= len(str(-canonical.MAX_INTEGER)):
        return int(text)
    return text
