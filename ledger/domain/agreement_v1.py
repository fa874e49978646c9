"""AgreementDraftV1: an agreement as its drafter writes it, and the terms and commitments that follow from it.

The draft's fields become the groups of the text commitment, one group a field, so that a reader who is given
some of them can recompute what they say on chain. The published schema is
docs/spec/agreement-draft-v1.schema.json, written from these classes.

    draft = parse_draft(open("agreement.yaml", "rb").read())
    text = commit(text_groups(draft), salts)
    terms(draft, agreement=…, version=1, text=text.root, review=…)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta

from ledger.domain import canonical, legal_time, records
from ledger.domain.codes import Delivery, PartyRole
from ledger.domain.draft_text import parse_text
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import agency_id, code_id, dataset_id, parse_agency, parse_code, parse_dataset
from ledger.domain.scalars import MAX_UINT32, OPEN_END, ZERO32
from ledger.domain.shape import misshapen
from ledger.domain.text import check_name, check_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.canonical import Json

FORMAT: Final = "quanze-agreement-draft-v1"
MAX_PARTIES: Final = 32
MAX_GRANTS: Final = 255
RESERVED_TEXTS: Final = ("title", "legal_bases")
"""Fields of a draft that are shown among its texts, so that no text may have their names."""
"""These two are the contract's bounds (``contracts/base/AgreementVersions.sol``): one bit, and one byte's count."""
MAX_TEXT: Final = 20_000

Name = Annotated[str, Meta(min_length=1, max_length=400)]
When = Annotated[
    str,
    Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?$",
        description="A legal date in the draft's zone, or an instant with its offset.",
    ),
]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agency that signs."""

    agency: Name
    role: PartyRole


class DraftGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One dataset version for one recipient and purpose; ``ends`` of null has no end."""

    dataset: Name
    version: Annotated[int, Meta(ge=1, le=MAX_UINT32)]
    recipient: Name
    purpose: Name
    delivery: Literal["INTERFACE", "BATCH", "FILE", "COMPUTE_TO_DATA", "VERIFY_ONLY"]
    starts: When
    ends: When | None


class SecurityReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The security review that the agreement rests on: its facts, or a commitment made elsewhere."""

    valid_until: When
    commitment: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)] = ""
    document: Annotated[dict[str, str], Meta(max_length=32)] = msgspec.field(default_factory=dict)


class AgreementDraftV1(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole draft."""

    format: Literal["quanze-agreement-draft-v1"]
    reference: Annotated[str, Meta(min_length=1, max_length=100)]
    provider: Name
    parties: Annotated[tuple[Party, ...], Meta(min_length=2, max_length=MAX_PARTIES)]
    grants: Annotated[tuple[DraftGrant, ...], Meta(min_length=1, max_length=MAX_GRANTS)]
    title: Annotated[str, Meta(max_length=1000)] = ""
    zone: Annotated[str, Meta(max_length=64)] = legal_time.LEGAL_ZONE
    legal_bases: Annotated[tuple[Name, ...], Meta(max_length=64)] = ()
    security_review: SecurityReview | None = None
    texts: Annotated[dict[str, Annotated[str, Meta(max_length=MAX_TEXT)]], Meta(max_length=64)] = msgspec.field(
        default_factory=dict
    )

    @classmethod
    def from_object(cls, value: Json) -> Self:
        """Build a draft from a parsed object and check it.

        Raises:
            InvalidInputError: a field missing, unknown or not allowed; names its path.
        """
        canonical.check(value)
        try:
            draft = msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise misshapen(error, value, cls, "draft") from error
        check_draft(draft)
        return draft

    def to_object(self) -> dict[str, Json]:
        """Return the draft as a JSON object with every field."""
        value: dict[str, Json] = msgspec.to_builtins(self)
        return value


def parse_draft(data: bytes) -> AgreementDraftV1:
    """Parse a draft in YAML or JSON.

    Raises:
        InvalidInputError: as `draft_text.parse_text` and `AgreementDraftV1.from_object`.
    """
    return AgreementDraftV1.from_object(parse_text(data))


def check_draft(draft: AgreementDraftV1) -> None:
    """Check what the shape alone cannot: ids, parties, windows and texts.

    Raises:
        InvalidInputError: names the field.
    """
    check_reference(draft.reference)
    if draft.title:
        check_name(draft.title, "title", max_length=1000)
    legal_time.check_zone(draft.zone)
    provider = parse_agency(draft.provider, "provider")
    _check_parties(draft)
    for index, basis in enumerate(draft.legal_bases):
        parse_code(basis, f"legal_bases[{index}]")
    seen: set[DraftGrant] = set()
    for index, grant in enumerate(draft.grants):
        path = f"grants[{index}]"
        if grant in seen:
            raise InvalidInputError(path, grant.dataset, "each grant once")
        seen.add(grant)
        dataset = parse_dataset(grant.dataset, f"{path}.dataset")
        if dataset.agency != provider:
            raise InvalidInputError(f"{path}.dataset", grant.dataset, f"a dataset of the provider, {provider}")
        if grant.recipient not in {party.agency for party in draft.parties}:
            raise InvalidInputError(f"{path}.recipient", grant.recipient, "one of the parties")
        parse_code(grant.purpose, f"{path}.purpose")
        _window(grant, draft.zone, path)
    _check_review(draft)
    for key, text in draft.texts.items():
        check_name(key, "texts", max_length=50)
        if key in RESERVED_TEXTS:
            raise InvalidInputError(f"texts.{key}", key, "another name: this one is a field of the draft itself")
        if "\0" in text:
            raise InvalidInputError(f"texts.{key}", text, "text without NUL")


def text_groups(draft: AgreementDraftV1) -> dict[str, Json]:
    """Return the groups of the text commitment, one a field: what a signer reads, and what `check_terms` compares."""
    value = draft.to_object()
    value.pop("texts")
    groups = {name: member for name, member in value.items() if name != "security_review"}
    groups["security_review"] = None if draft.security_review is None else draft.security_review.valid_until
    return groups | {f"text.{key}": text for key, text in draft.texts.items()}


def review_groups(review: SecurityReview) -> dict[str, Json]:
    """Return the groups of the review's own commitment: its date and each fact that its document states."""
    facts: dict[str, Json] = {f"document.{key}": text for key, text in review.document.items()}
    return {"valid_until": review.valid_until, **facts}


def terms(
    draft: AgreementDraftV1, *, agreement: bytes, version: int, text: bytes, review: bytes = ZERO32
) -> records.Terms:
    """Return the terms that the parties sign.

    Args:
        draft: a checked draft.
        agreement: the agreement's id, 32 random bytes of the drafter.
        version: 1, or the last version + 1.
        text: the root of the commitment over `text_groups`.
        review: the security review's commitment; 32 zero bytes exactly when the draft has none.

    Raises:
        InvalidInputError: ``review`` is stated without one in the draft, or the other way round.
    """
    if (draft.security_review is None) != (review == ZERO32):
        raise InvalidInputError("review", review, "a commitment exactly when the draft has a security review")
    until = draft.security_review.valid_until if draft.security_review else ""
    provider = agency_id(draft.provider)
    others = (agency_id(party.agency) for party in draft.parties)
    return records.Terms(
        agreement=agreement,
        version=version,
        provider=provider,
        parties=(provider, *(party for party in others if party != provider)),
        text=text,
        review=review,
        review_valid_until=legal_time.window_end(until, zone=draft.zone, field="valid_until") if until else 0,
        grants=tuple(_grant(grant, draft.zone) for grant in draft.grants),
    )


def check_terms(terms_on_chain: records.Terms, groups: Mapping[str, Json]) -> None:
    """Check that opened groups of a text commitment say what the terms on chain say.

    Raises:
        InvalidInputError: the first field that differs, or a group without which nothing can be compared.
    """
    needed = ("provider", "parties", "grants", "zone")
    for name in needed:
        if name not in groups:
            raise InvalidInputError("groups", name, "opened groups " + ", ".join(needed))
    parties = msgspec.convert(groups["parties"], tuple[Party, ...])
    grants = msgspec.convert(groups["grants"], tuple[DraftGrant, ...])
    provider, zone = str(groups["provider"]), str(groups["zone"])
    if agency_id(provider) != terms_on_chain.provider:
        raise InvalidInputError("provider", provider, "the provider on chain")
    if {agency_id(party.agency) for party in parties} != set(terms_on_chain.parties):
        raise InvalidInputError("parties", [party.agency for party in parties], "the parties on chain")
    if tuple(_grant(grant, zone) for grant in grants) != terms_on_chain.grants:
        raise InvalidInputError("grants", len(grants), "the grants on chain")


def schema() -> dict[str, Json]:
    """Return the JSON Schema (2020-12) of a draft: the content of docs/spec/agreement-draft-v1.schema.json."""
    value: dict[str, Json] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(AgreementDraftV1)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "agreement-draft-v1.schema.json",
        **value,
    }


def _check_parties(draft: AgreementDraftV1) -> None:
    agencies = [party.agency for party in draft.parties]
    for index, party in enumerate(draft.parties):
        parse_agency(party.agency, f"parties[{index}].agency")
        if agencies.index(party.agency) != index:
            raise InvalidInputError(f"parties[{index}].agency", party.agency, "each party once")
        if (party.role is PartyRole.PROVIDER) != (party.agency == draft.provider):
            raise InvalidInputError(f"parties[{index}].role", party.role.value, "PROVIDER for the provider alone")
    if draft.provider not in agencies:
        raise InvalidInputError("parties", agencies, "the provider among the parties")


def _check_review(draft: AgreementDraftV1) -> None:
    review = draft.security_review
    if review is None:
        return
    if bool(review.commitment) == bool(review.document):
        raise InvalidInputError("security_review", review.commitment, "either a commitment or a document's fields")
    for key, text in review.document.items():
        check_name(key, "security_review.document", max_length=50)
        check_name(text, f"security_review.document.{key}", max_length=2000)
    legal_time.window_end(review.valid_until, zone=draft.zone, field="security_review.valid_until")


def _grant(grant: DraftGrant, zone: str) -> records.Grant:
    starts, ends = _window(grant, zone, "grants")
    return records.Grant(
        dataset=dataset_id(grant.dataset),
        dataset_version=grant.version,
        recipient=agency_id(grant.recipient),
        purpose=code_id(grant.purpose),
        delivery=Delivery[grant.delivery].value,
        valid_from=starts,
        valid_to=ends,
    )


def _window(grant: DraftGrant, zone: str, path: str) -> tuple[int, int]:
    starts = legal_time.window_start(grant.starts, zone=zone, field=f"{path}.starts")
    if grant.ends is None:
        return starts, OPEN_END
    ends = legal_time.window_end(grant.ends, zone=zone, field=f"{path}.ends")
    if ends <= starts:
        raise InvalidInputError(f"{path}.ends", grant.ends, f"after {grant.starts}")
    return starts, ends
