"""The text ids of agencies, posts, datasets and codes, and their 32-byte forms on chain.

    agency    uscc:119900000000A00135        keccak256(utf8(text))
              xroad:INSTANCE/CLASS/CODE
              ods:X26
              name:REGISTER/COUNTRY/Name
    post      office-head@AGENCY             keccak256(abi.encode(agencyId, keccak256(utf8("office-head"))))
    dataset   AGENCY#CODE                    keccak256(abi.encode(agencyId, keccak256(utf8(CODE))))
    code      scheme:value                   keccak256(utf8(text)), for purposes, laws and reasons

Parsing never repairs: text that is not NFC or not trimmed is refused, so that one id has one spelling.
Importers call `ledger.domain.text.normalise_name` first. Names may hold ``<b>`` or ``../`` as plain text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ledger.domain.errors import InvalidInputError
from ledger.domain.keccak import keccak256, keccak256_text
from ledger.domain.scalars import MAX_UINT32
from ledger.domain.text import check_name
from ledger.domain.uscc import check_uscc

AGENCY_SCHEMES: Final = ("uscc", "xroad", "ods", "name")

RESERVED_BYTES: Final = 4
"""Ids of agreements do not begin with so many zero bytes."""

_POST_CODE: Final = re.compile(r"[a-z0-9-]{1,32}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ODS: Final = re.compile(r"[A-Z0-9]{2,12}")
_REGISTER: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_XROAD_REFUSED: Final = re.compile(r"[:;%\\]")
_CACHED_IDS: Final = 65_536


@dataclass(frozen=True, slots=True)
class AgencyRef:
    """An agency by scheme and value, as ``uscc`` and ``119900000000A00135``."""

    scheme: str
    value: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"

    @property
    def id(self) -> bytes:
        """The agency's id on chain."""
        return keccak256_text(str(self))

    @property
    def name(self) -> str:
        """What people call it where no profile says more: the name, else the value."""
        return self.value.split("/", 2)[2] if self.scheme == "name" else self.value


@dataclass(frozen=True, slots=True)
class PostRef:
    """A post of an agency, by its code there."""

    code: str
    agency: AgencyRef

    def __str__(self) -> str:
        return f"{self.code}@{self.agency}"

    @property
    def id(self) -> bytes:
        """The post's id on chain, which no other agency can register."""
        return post_id_of(self.agency.id, self.code_hash)

    @property
    def code_hash(self) -> bytes:
        """What `RegisterPost.code` carries."""
        return keccak256_text(self.code)


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A dataset of an agency, by its code there."""

    agency: AgencyRef
    code: str

    def __str__(self) -> str:
        return f"{self.agency}#{self.code}"

    @property
    def code_hash(self) -> bytes:
        """What `PublishEntry.code` carries."""
        return keccak256_text(self.code)

    @property
    def id(self) -> bytes:
        """The dataset's id on chain."""
        return dataset_id_of(self.agency.id, self.code_hash)


@dataclass(frozen=True, slots=True)
class CodeRef:
    """A purpose, law or reason from a code list that others keep, as ``dpv:PublicHealth``."""

    scheme: str
    value: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"

    @property
    def id(self) -> bytes:
        """The code's form on chain."""
        return keccak256_text(str(self))


def parse_agency(text: str, field: str = "agency") -> AgencyRef:
    """Parse an agency's text id.

    Raises:
        InvalidInputError: another scheme, a bad check digit, a missing part, or a text that may name nothing.
    """
    check_name(text, field)
    scheme, colon, value = text.partition(":")
    if not colon or scheme not in AGENCY_SCHEMES:
        raise InvalidInputError(field, text, "scheme:value with scheme " + ", ".join(AGENCY_SCHEMES))
    if "#" in value:
        raise InvalidInputError(field, text, "no # in an agency's id (it starts a dataset's code)")
    if scheme == "uscc":
        check_uscc(value, field)
    elif scheme == "xroad":
        _check_xroad(value, field)
    elif scheme == "ods":
        if not _ODS.fullmatch(value):
            raise InvalidInputError(field, value, "2 to 12 of A-Z and 0-9")
    else:
        _check_registered_name(value, field)
    return AgencyRef(scheme, value)


def parse_post(text: str, field: str = "post") -> PostRef:
    """Parse a post's text id, ``CODE@AGENCY``.

    Raises:
        InvalidInputError: a code outside ``[a-z0-9-]{1,32}`` or a bad agency id.
    """
    code, at, agency = text.partition("@")
    if not at or not _POST_CODE.fullmatch(code):
        raise InvalidInputError(field, text, "CODE@AGENCY with a code of 1 to 32 of a-z, 0-9 and -")
    return PostRef(code, parse_agency(agency, field))


def parse_dataset(text: str, field: str = "dataset") -> DatasetRef:
    """Parse a dataset's text id, ``AGENCY#CODE``; the code is everything after the first ``#``.

    Raises:
        InvalidInputError: no ``#``, a bad agency id or a code that may name nothing.
    """
    agency, mark, code = text.partition("#")
    if not mark:
        raise InvalidInputError(field, text, "AGENCY#CODE")
    return DatasetRef(parse_agency(agency, field), check_name(code, field))


def parse_code(text: str, field: str = "code") -> CodeRef:
    """Parse ``scheme:value`` of a purpose, law or reason.

    Raises:
        InvalidInputError: a scheme outside ``[a-z][a-z0-9-]{0,31}`` or a value that may name nothing.
    """
    scheme, colon, value = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        raise InvalidInputError(field, text, "scheme:value, as dpv:PublicHealth")
    return CodeRef(scheme, check_name(value, field))


@lru_cache(maxsize=_CACHED_IDS)
def agency_id(text: str) -> bytes:
    """Return the 32-byte id of an agency's text id. Raises as `parse_agency`."""
    return parse_agency(text).id


@lru_cache(maxsize=_CACHED_IDS)
def post_id(text: str) -> bytes:
    """Return the 32-byte id of a post's text id. Raises as `parse_post`."""
    return parse_post(text).id


@lru_cache(maxsize=_CACHED_IDS)
def dataset_id(text: str) -> bytes:
    """Return the 32-byte id of a dataset's text id. Raises as `parse_dataset`."""
    return parse_dataset(text).id


@lru_cache(maxsize=_CACHED_IDS)
def code_id(text: str) -> bytes:
    """Return the 32-byte form of a purpose, law or reason code. Raises as `parse_code`."""
    return parse_code(text).id


def post_id_of(agency: bytes, code_hash: bytes) -> bytes:
    """Return the post id that the registry derives from the agency and the hash of the post's code."""
    return keccak256(agency + code_hash)


def dataset_id_of(agency: bytes, code_hash: bytes) -> bytes:
    """Return the dataset id that the catalogue derives from the owner and the hash of the dataset's code."""
    return keccak256(agency + code_hash)


def entry_key(dataset: bytes, version: int) -> bytes:
    """Return the head key of one dataset version: keccak256(abi.encode(dataset, uint32 version))."""
    if not 0 <= version <= MAX_UINT32:
        raise InvalidInputError("version", version, "an integer from 0 to 2^32 - 1")
    return keccak256(dataset + version.to_bytes(32, "big"))


def pair_key(first: bytes, second: bytes) -> bytes:
    """Return the head key of a look-up pair: keccak256(abi.encode(first, second))."""
    return keccak256(first + second)


def recipient_key(recipient: bytes, dataset: bytes) -> bytes:
    """Return the head key of everything proposed to ``recipient`` about ``dataset``.

    Four zero bytes and 28 of the hash: the AgreementLedger takes no agreement whose id begins so, hence the history of
    a pair is never mixed with an agreement's.
    """
    return bytes(RESERVED_BYTES) + pair_key(recipient, dataset)[:-RESERVED_BYTES]


def duty_key(duty: int, obj: bytes) -> bytes:
    """Return the head key of everything recorded about ``duty`` for an object."""
    return pair_key(duty.to_bytes(32, "big"), obj)


def _check_xroad(value: str, field: str) -> None:
    parts = value.split("/")
    if len(parts) != 3 or not all(parts) or _XROAD_REFUSED.search(value):
        raise InvalidInputError(field, value, "INSTANCE/CLASS/CODE, without : ; % or \\")


def _check_registered_name(value: str, field: str) -> None:
    register, _, rest = value.partition("/")
    country, _, name = rest.partition("/")
    if not _REGISTER.fullmatch(register) or not _COUNTRY.fullmatch(country) or not name:
        raise InvalidInputError(field, value, "REGISTER/COUNTRY/Name with a two-letter country")
    if name.strip() != name:
        raise InvalidInputError(field, value, "a name without spaces at its ends")
