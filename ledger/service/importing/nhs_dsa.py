"""NHS England's Data Uses Register: one record an agreement, as the register prints it.

What the register says is kept; what it does not say is not made up:

- It gives names, so agencies are ``name:nhs-dars/GB/NAME``.
- It gives no purpose code, so a grant's purpose is the agreement's own: ``nhs-dars:REFERENCE``.
- Access methods become deliveries: ``One-Off`` FILE, ``Ongoing`` BATCH, ``System Access`` COMPUTE_TO_DATA
  (the data were used on the provider's systems and did not leave them).
- Dates are legal dates in Europe/London; an agreement without an end is open-ended.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.domain.codes import Delivery
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import AgencyRef, parse_agency
from ledger.service.importing.source_file import Record, integer_of, text_of, texts_of

ZONE: Final = "Europe/London"
MEMBER: Final = "agreements"
FIELDS: Final = ("reference", "controllers", "starts", "access_methods", "datasets")
"""What no record can do without."""
_REGISTER: Final = "nhs-dars"
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_DELIVERIES: Final = {
    "one-off": Delivery.FILE,
    "ongoing": Delivery.BATCH,
    "system access": Delivery.COMPUTE_TO_DATA,
}
_TEXT_FIELDS: Final = ("title", "sublicensing", "commercial", "organisation_type")
_LIST_FIELDS: Final = ("legal_bases", "sensitivity", "identifiability")


@dataclass(frozen=True, slots=True)
class RegisteredAgreement:
    """One agreement of the register in our terms; ``ends`` is None for an open end."""

    reference: str
    title: str
    provider: AgencyRef
    controllers: tuple[AgencyRef, ...]
    recipients: tuple[AgencyRef, ...]
    processors: tuple[AgencyRef, ...]
    datasets: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    purpose: str
    starts: date
    ends: date | None
    texts: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def parties(self) -> tuple[AgencyRef, ...]:
        """The provider first, then controllers and recipients, each once. Processors sign nothing."""
        return tuple(dict.fromkeys((self.provider, *self.controllers, *self.recipients)))


def parse_agreement(record: Record) -> RegisteredAgreement:
    """Return one record of the register in our terms.

    Raises:
        InvalidInputError: A field that an agreement cannot do without is missing or wrong; names it.
    """
    reference = text_of(record, "reference", required=True)
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInputError("reference", reference, "1 to 64 letters, digits and . _ / -")
    controllers = _agencies(record, "controllers", required=True)
    starts = _date(record, "starts", required=True)
    ends = _date(record, "ends")
    if starts is None:
        raise InvalidInputError("starts", None, "a date as 2024-09-01")
    if ends is not None and ends < starts:
        raise InvalidInputError("ends", ends.isoformat(), f"a date not before starts ({starts.isoformat()})")
    provider = text_of(record, "provider") or "NHS England"
    return RegisteredAgreement(
        reference=reference,
        title=text_of(record, "title"),
        provider=_agency(provider, "provider"),
        controllers=controllers,
        recipients=_agencies(record, "recipients") or controllers,
        processors=_agencies(record, "processors"),
        datasets=tuple(texts_of(record, "datasets", required=True)),
        deliveries=_deliveries(record),
        purpose=f"{_REGISTER}:{reference}",
        starts=starts,
        ends=ends,
        texts=tuple((field, text_of(record, field)) for field in _TEXT_FIELDS if record.get(field)),
        lists=tuple((field, tuple(texts_of(record, field))) for field in _LIST_FIELDS),
    )


def _agency(name: str, field: str) -> AgencyRef:
    return parse_agency(f"name:{_REGISTER}/GB/{name}", field)


def _agencies(record: Record, field: str, *, required: bool = False) -> tuple[AgencyRef, ...]:
    return tuple(_agency(name, field) for name in texts_of(record, field, required=required))


def _deliveries(record: Record) -> tuple[Delivery, ...]:
    found = []
    for index, method in enumerate(texts_of(record, "access_methods", required=True)):
        delivery = _DELIVERIES.get(method.lower())
        if delivery is None:
            raise InvalidInputError(f"access_methods[{index}]", method, "One-Off, Ongoing or System Access")
        found.append(delivery)
    return tuple(dict.fromkeys(found))


def _date(record: Record, field: str, *, required: bool = False) -> date | None:
    if isinstance(record.get(field), int):
        raise InvalidInputError(field, integer_of(record, field), "a date as 2024-09-01")
    text = text_of(record, field, required=required)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(field, text, "a date as 2024-09-01") from error
