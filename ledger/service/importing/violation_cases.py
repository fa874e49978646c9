"""Published decisions of data-protection authorities: each becomes an external-record lead, never a finding.

Authorities and respondents are known by name only: ``name:gdpr/COUNTRY/NAME``. Articles become codes such as
``gdpr:32`` and ``gdpr:5(1)(c)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import AgencyRef, parse_agency, parse_code
from ledger.service.importing.source_file import Record, integer_of, text_of, texts_of

MEMBER: Final = "cases"
FIELDS: Final = ("id", "country", "authority", "respondent", "articles")
"""What no record can do without."""
_REGISTER: Final = "gdpr"
_ARTICLE: Final = re.compile(r"Art(?:icle|\.)?\s*(\d{1,2})((?:\s*\(?[0-9a-z]{1,3}\))*)\s*(?:GDPR)?", re.IGNORECASE)
_PART: Final = re.compile(r"\(?([0-9a-z]{1,3})\)", re.IGNORECASE)
COUNTRIES: Final = {
    "Austria": "AT",
    "Belgium": "BE",
    "Bulgaria": "BG",
    "Croatia": "HR",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Czechia": "CZ",
    "Denmark": "DK",
    "Estonia": "EE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hungary": "HU",
    "Iceland": "IS",
    "Ireland": "IE",
    "Italy": "IT",
    "Latvia": "LV",
    "Liechtenstein": "LI",
    "Lithuania": "LT",
    "Luxembourg": "LU",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "Romania": "RO",
    "Slovakia": "SK",
    "Slovenia": "SI",
    "Spain": "ES",
    "Sweden": "SE",
    "United Kingdom": "GB",
}


@dataclass(frozen=True, slots=True)
class PublishedDecision:
    """One decision in our terms; ``decided`` is None and ``fine_eur`` -1 where the record does not say."""

    number: str
    authority: AgencyRef
    respondent: AgencyRef
    violations: tuple[str, ...]
    decided: date | None
    kind: str
    fine_eur: int
    facts: str
    source: str


def parse_decision(record: Record) -> PublishedDecision:
    """Return one published decision in our terms.

    Raises:
        InvalidInputError: The country, authority, respondent or articles are missing or not understood.
    """
    country = _country(record)
    number = record.get("id")
    if isinstance(number, bool) or not isinstance(number, int | str) or number == "":
        raise InvalidInputError("id", number, "a number or text that tells the record from others")
    fine = integer_of(record, "fine_eur")
    if fine is not None and fine < 0:
        raise InvalidInputError("fine_eur", fine, "an amount in euro, 0 or more")
    articles = texts_of(record, "articles", required=True)
    codes = [code for index, article in enumerate(articles) for code in _codes(article, f"articles[{index}]")]
    return PublishedDecision(
        number=str(number),
        authority=_agency(country, text_of(record, "authority", required=True), "authority"),
        respondent=_agency(country, text_of(record, "respondent", required=True), "respondent"),
        violations=tuple(dict.fromkeys(codes)),
        decided=_decided(record),
        kind=text_of(record, "kind"),
        fine_eur=-1 if fine is None else fine,
        facts=text_of(record, "facts"),
        source=text_of(record, "source"),
    )


def _country(record: Record) -> str:
    name = text_of(record, "country", required=True)
    if name in COUNTRIES.values():
        return name
    code = COUNTRIES.get(name)
    if code is None:
        raise InvalidInputError("country", name, "a country of the European Economic Area or the United Kingdom")
    return code


def _agency(country: str, name: str, field: str) -> AgencyRef:
    return parse_agency(f"name:{_REGISTER}/{country}/{name}", field)


def _codes(article: str, field: str) -> list[str]:
    found = []
    for match in _ARTICLE.finditer(article):
        parts = "".join(f"({part.lower()})" for part in _PART.findall(match.group(2)))
        found.append(str(parse_code(f"gdpr:{match.group(1)}{parts}", field)))
    if not found:
        raise InvalidInputError(field, article, "an article as Art. 32 GDPR or Art. 5 (1) c) GDPR")
    return found


def _decided(record: Record) -> date | None:
    text = text_of(record, "decided")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("decided", text, "a date as 2019-10-18") from error
