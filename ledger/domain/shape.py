"""What msgspec says of a value that has not the shape wanted, as field, value found and what is allowed.

try:
    draft = msgspec.convert(value, AgreementDraftV1)
except msgspec.ValidationError as error:
    raise misshapen(error, value, AgreementDraftV1, "draft") from error
# grants[0].delivery: 'WEIRD' is not allowed; wanted: one of BATCH, COMPUTE_TO_DATA, FILE, …
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import inspect

from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MESSAGE: Final = re.compile(r"(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$\.?(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\[\.\.\.\]|\[(\d+)\]|([^.\[\]]+)")
_SHOWN_PATTERNS: Final[Mapping[str, str]] = {
    "^[0-9a-f]{64}$": "64 hex digits in lower case",
    "^([0-9a-f]{64})?$": "64 hex digits in lower case, or an empty text",
}


def misshapen(error: msgspec.ValidationError, value: object, kind: Any, whole: str) -> InvalidInputError:
    """Return msgspec's complaint as an error of ours.

    Args:
        error: What ``msgspec.convert(value, kind)`` raised.
        value: What was to be converted.
        kind: The type wanted; its declarations say what is allowed.
        whole: The field that is named when the value as a whole has another shape.
    """
    found = _MESSAGE.fullmatch(str(error))
    said, path, is_key = (found["said"], found["path"] or "", bool(found["key"])) if found else (str(error), "", False)
    field, part, type_ = _descend(path, value, inspect.type_info(kind))
    if is_key and isinstance(keyed := _plain(type_), inspect.DictType):
        return InvalidInputError(field or whole, part, "keys that are " + _allowed(keyed.key_type, said))
    if unknown := _UNKNOWN.fullmatch(said):
        inner = part.get(unknown[1]) if isinstance(part, dict) else part
        return InvalidInputError(
            _joined(field, unknown[1]), inner, _allowed(type_, said).replace("an object with", "only")
        )
    if missing := _MISSING.fullmatch(said):
        wanted = _allowed(_member(type_, missing[1], None), "a value")
        return InvalidInputError(_joined(field, missing[1]), None, f"{wanted}; the field is missing")
    return InvalidInputError(field or whole, part, _allowed(type_, said))


def _descend(path: str, value: Any, type_: inspect.Type) -> tuple[str, Any, inspect.Type]:
    """Return the path with every step named, the value there, and the type that is wanted there."""
    field = ""
    for step in _STEP.finditer(path):
        key: Any = step[2]
        if step[1] is not None:
            key = int(step[1])
        elif key is None:  # msgspec does not say which member of a mapping it is.
            key = _first_wrong(value, type_)
        type_ = _member(type_, key, value)
        field = f"{field}[{key}]" if isinstance(key, int) else _joined(field, str(key))
        try:
            value = value[key]
        except (LookupError, TypeError):
            value = None
    return field, value, type_


def _first_wrong(value: Any, type_: inspect.Type) -> object:
    wanted = _member(type_, "", value)
    for key, member in value.items() if isinstance(value, dict) else ():
        if not _is_of(member, wanted):
            return key
    return "..."


def _is_of(value: object, type_: inspect.Type) -> bool:
    """Say whether a member of a mapping is what it should be, as far as texts and integers go."""
    match _plain(type_):
        case inspect.UnionType(types=types):
            return any(_is_of(value, one) for one in types)
        case inspect.StrType(max_length=longest):
            return isinstance(value, str) and (longest is None or len(value) <= longest)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return True


def _member(type_: inspect.Type, key: object, value: object) -> inspect.Type:
    match _plain(type_):
        case inspect.UnionType(types=types):
            members = [_member(one, key, value) for one in types]
            return next((one for one in members if not isinstance(one, inspect.AnyType)), inspect.AnyType())
        case inspect.StructType(fields=fields):
            return next((one.type for one in fields if one.encode_name == key), inspect.AnyType())
        case inspect.DictType(value_type=inner):
            return inner
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            return inner
        case _:
            return inspect.AnyType()


def _plain(type_: inspect.Type) -> inspect.Type:
    return type_.type if isinstance(type_, inspect.Metadata) else type_


def _allowed(type_: inspect.Type, said: str) -> str:
    """Return what is allowed in words; where the type has none, what msgspec said."""
    if isinstance(type_, inspect.Metadata):
        described = str((type_.extra_json_schema or {}).get("description", ""))
        return described[0].lower() + described[1:].rstrip(".") if described else _allowed(type_.type, said)
    match type_:
        case inspect.UnionType(types=types):
            return ", or ".join(_allowed(one, said) for one in types)
        case inspect.EnumType(cls=cls):
            return "one of " + ", ".join(str(one.value) for one in cls)
        case inspect.LiteralType(values=values):
            shown = ", ".join(str(one) if one != "" else "''" for one in values)
            return f"one of {shown}" if len(values) > 1 else shown
        case inspect.IntType(ge=least, le=most):
            return "an integer" + _bounds(least, most)
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            if pattern is not None:
                return _SHOWN_PATTERNS.get(pattern, f"text like {pattern}")
            return "text" + (f" of{_lengths(least, most)} characters" if least or most else "")
        case inspect.VarTupleType() | inspect.ListType():
            least, most = type_.min_length, type_.max_length
            return "a list" + (f" of{_lengths(least, most)} items" if least or most else "")
        case inspect.StructType(fields=fields):
            return "an object with the fields " + ", ".join(one.encode_name for one in fields)
        case inspect.DictType(max_length=most):
            return "an object" + (f" of at most {most} members" if most else "")
        case inspect.NoneType():
            return "null"
        case inspect.BoolType():
            return "true or false"
        case _:
            return said.replace("`", "")


def _bounds(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return f" of at least {least}" if least is not None else f" of at most {most}" if most is not None else ""


def _lengths(least: int | None, most: int | None) -> str:
    return f" {least} to {most}" if least and most else f" at least {least}" if least else f" at most {most}"


def _joined(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name
