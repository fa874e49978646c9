"""Every error that Quanze raises on purpose: one root, and a branch for each thing the caller can do about it.

An error has a stable ``code``, typed fields and a sentence from ``explain()``. The branch tells what to do: mend the
input, get the right to act, resolve a conflict, look elsewhere, distrust the evidence, stop and call an operator,
try again, or accept that the ledger refused. HTTP status and exit codes are kept by the delivery layers, in a table
each.

Every code is in a registry, from which ``docs/reference/errors.md`` is generated; a class without its code, meaning
and remedy is refused when it is defined, and so is a second class with the same code.

    class KeyRetiredError(UnauthorizedError):
        code = "key_retired"
        meaning = "The key was retired before the time of the act."
        remedy = "Sign with the post's present key."
"""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ConflictError",
    "IntegrityError",
    "InvalidInputError",
    "LedgerError",
    "NotFoundError",
    "RefusedError",
    "UnauthorizedError",
    "UnavailableError",
    "VerificationError",
    "registered_errors",
]

_SHOWN: Final = 200
"""A value longer than this is cut in explanations: hostile input must not fill a terminal or a log."""

_registry: dict[str, type[LedgerError]] = {}


class LedgerError(Exception):
    """The root of all errors of ours.

    Attributes:
        code: The stable name, for machines. It never changes its meaning.
        meaning: What the code says, for the reference.
        remedy: What the one who meets it should do, for the reference.
        retryable: The same call may succeed later with nothing changed.
    """

    code: ClassVar[str] = "ledger_error"
    meaning: ClassVar[str] = "An error that has no code of its own."
    remedy: ClassVar[str] = "Read the explanation; report it if it does not help."
    retryable: ClassVar[bool] = False

    fields: Mapping[str, object]
    """The values that the error is about, by name, in the order of the constructor. Never a secret."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(*fields.values())

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Register the class under its code.

        Raises:
            TypeError: It lacks its own code, meaning or remedy, or the code is taken.
        """
        super().__init_subclass__(**kwargs)
        missing = [name for name in ("code", "meaning", "remedy") if name not in cls.__dict__]
        if missing:
            raise TypeError(f"{cls.__name__} must state its own {', '.join(missing)}")
        taken = _registry.get(cls.code)
        if taken is not None and (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"{cls.__name__} uses the code {cls.code!r} of {taken.__name__}")
        _registry[cls.code] = cls

    def explain(self) -> str:
        """Return one sentence or two for a person: what is wrong, with the values."""
        told = ", ".join(f"{name} {_show(value)}" for name, value in self.fields.items())
        return f"{type(self).meaning.rstrip('.')}: {told}." if told else type(self).meaning

    def __str__(self) -> str:
        return self.explain()

    def __reduce__(self) -> tuple[Callable[..., LedgerError], tuple[type[LedgerError], dict[str, object]]]:
        """Let the error cross a process border with its fields."""
        return _rebuild, (type(self), dict(self.__dict__))


class InvalidInputError(LedgerError):
    """The caller's input is not admissible; the same input never will be."""

    code = "invalid_input"
    meaning = "A field of the input has a value that is not allowed."
    remedy = "Correct the field named, as the explanation says, and send it again."

    def __init__(self, field: str, value: object, allowed: str) -> None:
        super().__init__(field=field, value=value, allowed=allowed)
        self.field = field
        self.value = value
        self.allowed = allowed

    def explain(self) -> str:
        """Name the field, the value found and what is allowed."""
        return f"{self.field}: {self.reason()}"

    def reason(self) -> str:
        """Say what `explain` says, for where the field is named already."""
        return f"{_show(self.value)} is not allowed; wanted: {self.allowed}."


class UnauthorizedError(LedgerError):
    """The caller has not shown the right to do this."""

    code = "unauthorized"
    meaning = "The signature or key does not carry the right to do this."
    remedy = "Act with a key that the registry binds to a post with the role required, before the deadline."

    def __init__(self, reason: str, **fields: object) -> None:
        super().__init__(reason=reason, **fields)
        self.reason = reason

    def explain(self) -> str:
        """Say why the right is missing."""
        return _with_values("Not authorised", self)


class ConflictError(LedgerError):
    """The request contradicts something already recorded."""

    code = "conflict"
    meaning = "The request contradicts what is already recorded."
    remedy = "Look at what is recorded under the same key or number, and send a request that agrees with it."

    def __init__(self, what: str, reason: str, **fields: object) -> None:
        super().__init__(what=what, reason=reason, **fields)
        self.what = what
        self.reason = reason

    def explain(self) -> str:
        """Say what conflicts with what."""
        return _with_values(f"Conflict over {self.what}", self)


class NotFoundError(LedgerError):
    """Nothing of this kind has this name here."""

    code = "not_found"
    meaning = "Nothing is known under this name."
    remedy = "Check the name; `quanze ... list` shows what exists."

    def __init__(self, what: str, value: object) -> None:
        super().__init__(what=what, value=value)
        self.what = what
        self.value = value

    def explain(self) -> str:
        """Name what was looked for."""
        return f"No {self.what} {_show(self.value)} is known here."


class VerificationError(LedgerError):
    """Evidence does not prove what it claims, whatever failed underneath."""

    code = "verification_failed"
    meaning = "Evidence does not prove what it claims."
    remedy = "Do not rely on it. Ask for the evidence again; if it fails again, keep both and ask the operator why."

    def __init__(self, step: int | str, reason: str) -> None:
        super().__init__(step=step, reason=reason)
        self.step = step
        self.reason = reason

    def explain(self) -> str:
        """Name the step that failed and why."""
        return f"Verification failed at step {self.step}: {self.reason.rstrip('.')}."


class IntegrityError(LedgerError):
    """Our own records disagree with each other: stop, keep everything, tell an operator."""

    code = "integrity_broken"
    meaning = "The ledger's own records disagree with each other."
    remedy = (
        "Stop the service, copy the home folder as it is, run `quanze fsck`, and restore only after finding the cause."
    )

    def __init__(self, what: str, reason: str, **fields: object) -> None:
        super().__init__(what=what, reason=reason, **fields)
        self.what = what
        self.reason = reason

    def explain(self) -> str:
        """Say which records disagree, and how."""
        return _with_values(f"Integrity broken in {self.what}", self)


class UnavailableError(LedgerError):
    """Something this needs cannot be reached at present; the same call may succeed later."""

    code = "unavailable"
    meaning = "A part that this needs cannot be reached at present."
    remedy = "Try again; if it stays so, check with `quanze status` that the service and its engine run."
    retryable = True

    def __init__(self, what: str, reason: str, **fields: object) -> None:
        super().__init__(what=what, reason=reason, **fields)
        self.what = what
        self.reason = reason

    def explain(self) -> str:
        """Say what is missing and why."""
        return _with_values(f"{self.what} is unavailable", self)


class RefusedError(LedgerError):
    """A contract refused the transition; nothing was changed.

    Attributes:
        error: The contract's own name of the error, such as ``ReviewerNotIndependent``.
        arguments: Its values by name.
        contract: The contract that refused, if known.
        words: What people call some of the values, by their names; set by whoever knows it.
    """

    code = "refused"
    meaning = "The ledger's rules refuse this transition, and nothing was changed."
    remedy = "Read the contract error's name and values; the interface files in `contracts/interfaces` explain each."

    def __init__(self, error: str, arguments: Mapping[str, object], contract: str = "") -> None:
        super().__init__(error=error, arguments=dict(arguments), contract=contract)
        self.error = error
        self.arguments: Mapping[str, object] = dict(arguments)
        self.contract = contract
        self.words: Mapping[str, str] = {}

    def explain(self) -> str:
        """Name the contract's error with its values, in words where they are known."""
        shown = {name: _show(self.words.get(name, value)) for name, value in self.arguments.items()}
        values = ", ".join(f"{name}={value}" for name, value in shown.items())
        where = f" by {self.contract}" if self.contract else ""
        return f"Refused{where}: {self.error}({values})."


def registered_errors() -> Mapping[str, type[LedgerError]]:
    """Return every error class defined so far by its code, in the order of the codes."""
    every: dict[str, type[LedgerError]] = {LedgerError.code: LedgerError, **_registry}
    return dict(sorted(every.items()))


def _rebuild(cls: type[LedgerError], state: dict[str, object]) -> LedgerError:
    error = cls.__new__(cls)
    error.__dict__.update(state)
    error.args = tuple(error.fields.values())
    return error


def _with_values(opening: str, error: ConflictError | IntegrityError | UnauthorizedError | UnavailableError) -> str:
    values = ", ".join(
        f"{name}={_show(value)}" for name, value in error.fields.items() if name not in {"what", "reason"}
    )
    told = f"{opening}: {error.reason.rstrip('.')}"
    return f"{told} ({values})." if values else f"{told}."


def _show(value: object) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value[: _SHOWN // 2 + 1])
        text = "0x" + data.hex()
    elif isinstance(value, str):
        text = repr(value[: _SHOWN + 1])
    elif isinstance(value, int) and value.bit_length() > _SHOWN:
        text = f"an integer of {value.bit_length()} bits"  # Python refuses to print very large ones
    else:
        text = reprlib.repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
