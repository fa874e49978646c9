"""JSON Patch (RFC 6902), as much of it as the vectors use: replace, remove, add."""

from __future__ import annotations

from typing import Any

Patch = list[dict[str, Any]]


def apply(value: Any, patch: Patch) -> Any:
    """Return a copy of a JSON value with the operations applied one after another."""
    for operation in patch:
        value = _apply(value, [_unescape(part) for part in operation["path"].split("/")[1:]], operation)
    return value


def replace(path: str, value: Any) -> dict[str, Any]:
    """Return the operation that puts another value in a place."""
    return {"op": "replace", "path": path, "value": value}


def add(path: str, value: Any) -> dict[str, Any]:
    """Return the operation that adds a value: before a place in a list, or a member."""
    return {"op": "add", "path": path, "value": value}


def remove(path: str) -> dict[str, Any]:
    """Return the operation that removes a value."""
    return {"op": "remove", "path": path}


def difference(value: Any, other: Any, path: str = "") -> Patch:
    """Return a short patch that makes of a JSON value another one."""
    if value == other:
        return []
    if isinstance(value, dict) and isinstance(other, dict):
        made = [remove(f"{path}/{name}") for name in value if name not in other]
        made += [add(f"{path}/{name}", other[name]) for name in other if name not in value]
        return made + [
            one for name in other if name in value for one in difference(value[name], other[name], f"{path}/{name}")
        ]
    if isinstance(value, list) and isinstance(other, list):
        if len(value) == len(other):
            pairs = enumerate(zip(value, other, strict=True))
            return [one for place, pair in pairs for one in difference(*pair, f"{path}/{place}")]
        kept = [place for place, element in enumerate(value) if element in other]
        if [value[place] for place in kept] == other:
            return [remove(f"{path}/{place}") for place in reversed(range(len(value))) if place not in kept]
    return [replace(path, other)]


def _apply(value: Any, parts: list[str], operation: dict[str, Any]) -> Any:
    copy: Any = value.copy()
    key: Any = parts[0] if isinstance(copy, dict) else int(parts[0])
    if len(parts) > 1:
        copy[key] = _apply(copy[key], parts[1:], operation)
    elif operation["op"] == "remove":
        del copy[key]
    elif operation["op"] == "add" and isinstance(copy, list):
        copy.insert(key, operation["value"])
    else:
        copy[key] = operation["value"]
    return copy


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
