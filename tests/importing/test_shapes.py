"""Each published shape: what becomes of its fields, and what is refused with its name."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.domain.codes import Delivery, EventKind, Outcome, Side
from ledger.domain.errors import InvalidInputError
from ledger.service.importing.nhs_dsa import parse_agreement
from ledger.service.importing.source_file import Record
from ledger.service.importing.violation_cases import parse_decision
from ledger.service.importing.xroad_mapping import parse_mapping
from ledger.service.importing.xroad_opmon import parse_exchange

AGREEMENT: Record = {
    "reference": "DARS-1",
    "controllers": ["A", "B"],
    "starts": "2024-01-01",
    "ends": "2024-12-31",
    "access_methods": ["One-Off", "System Access"],
    "datasets": ["D"],
    "recipients": ["C"],
    "provider": "NHS England",
}
EXCHANGE: Record = {
    "securityServerType": "Client",
    "requestInTs": 1_670_257_860_469,
    "succeeded": False,
    "faultCode": "Client.InvalidHttpMethod",
}
DECISION: Record = {
    "id": 5,
    "country": "Romania",
    "authority": "ANSPDCP",
    "respondent": "Someone SA",
    "articles": ["Art. 32 GDPR"],
}
RULE = (
    "{client: '*', provider: 'xroad:S/G/1', service: 'V/*', agreement: A, version: 1, purpose: 'dpv:X', delivery: FILE}"
)


def test_agreement_with_several_controllers_names_each_party_once_provider_first() -> None:
    """The provider signs first, then controllers and recipients."""
    agreement = parse_agreement({**AGREEMENT, "recipients": ["A", "C"]})
    assert [party.name for party in agreement.parties] == ["NHS England", "A", "B", "C"]
    assert agreement.deliveries == (Delivery.FILE, Delivery.COMPUTE_TO_DATA)


def test_agreement_without_optional_fields_is_accepted_as_open_ended() -> None:
    """No end is an open end; no recipients means the controllers; no provider means the register's own."""
    bare = {key: AGREEMENT[key] for key in ("reference", "controllers", "starts", "access_methods", "datasets")}
    agreement = parse_agreement(bare)
    assert agreement.ends is None
    assert agreement.recipients == agreement.controllers
    assert agreement.provider.name == "NHS England"
    assert agreement.starts == date(2024, 1, 1)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("reference", "", "reference"),
        ("reference", "../x y", "reference"),
        ("controllers", [], "controllers"),
        ("controllers", ["A", 5], "controllers[1]"),
        ("starts", "soon", "starts"),
        ("starts", 2024, "starts"),
        ("ends", "2023-12-31", "ends"),
        ("datasets", [], "datasets"),
        ("access_methods", ["Carrier pigeon"], "access_methods[0]"),
        ("title", {"en": "x"}, "title"),
    ],
)
def test_agreement_with_a_wrong_field_is_refused_naming_it(field: str, value: object, named: str) -> None:
    """One wrong field, one error, its name."""
    record: dict[str, object] = {**AGREEMENT, field: value}
    with pytest.raises(InvalidInputError) as caught:
        parse_agreement(record)  # type: ignore[arg-type] # Hostile values on purpose.
    assert caught.value.field == named


def test_failed_exchange_without_members_or_service_states_nothing_more() -> None:
    """What the server did not write stays unstated."""
    record = parse_exchange(EXCHANGE)
    assert (record.side, record.kind, record.outcome) == (Side.CONSUMER, EventKind.ACCESS, Outcome.FAILED)
    assert (record.provider, record.requester, record.service, record.correlation, record.size) == ("", "", "", "", -1)
    assert record.source == {"faultCode": "Client.InvalidHttpMethod"}


def test_exchange_of_a_member_without_subsystem_names_the_service_alone() -> None:
    """A service of the member itself has no subsystem part."""
    member = {"serviceXRoadInstance": "I", "serviceMemberClass": "G", "serviceMemberCode": "1", "serviceCode": "get"}
    record = parse_exchange({**EXCHANGE, **member, "securityServerType": "Producer"})
    assert (record.provider, record.service, record.kind) == ("xroad:I/G/1", "get", EventKind.DELIVERY)
    assert record.reporter_agency == "xroad:I/G/1"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("securityServerType", "Proxy", "securityServerType"),
        ("securityServerType", None, "securityServerType"),
        ("requestInTs", "now", "requestInTs"),
        ("requestInTs", 0, "requestInTs"),
        ("requestInTs", True, "requestInTs"),
        ("succeeded", "yes", "succeeded"),
        ("responseSize", -4, "responseSize"),
        ("clientMemberCode", "7", "clientXRoadInstance"),
        ("faultString", {"a": 1}, "faultString"),
    ],
)
def test_exchange_with_a_wrong_field_is_refused_naming_it(field: str, value: object, named: str) -> None:
    """One wrong field, one error, its name."""
    record: dict[str, object] = {**EXCHANGE, field: value}
    with pytest.raises(InvalidInputError) as caught:
        parse_exchange(record)  # type: ignore[arg-type] # Hostile values on purpose.
    assert caught.value.field == named


@pytest.mark.parametrize(
    ("article", "codes"),
    [
        ("Art. 32 GDPR", ("gdpr:32",)),
        ("Art. 5 (1) c) GDPR", ("gdpr:5(1)(c)",)),
        ("Art. 5 (1) a), Art. 6 GDPR", ("gdpr:5(1)(a)", "gdpr:6")),
        ("Article 13 GDPR", ("gdpr:13",)),
    ],
)
def test_articles_become_codes(article: str, codes: tuple[str, ...]) -> None:
    """Violation codes are scheme:value."""
    assert parse_decision({**DECISION, "articles": [article]}).violations == codes


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("id", None, "id"),
        ("country", "Atlantis", "country"),
        ("authority", "", "authority"),
        ("respondent", " ", "respondent"),
        ("articles", [], "articles"),
        ("articles", ["the law"], "articles[0]"),
        ("decided", "yesterday", "decided"),
        ("fine_eur", -1, "fine_eur"),
    ],
)
def test_decision_with_a_wrong_field_is_refused_naming_it(field: str, value: object, named: str) -> None:
    """One wrong field, one error, its name."""
    record: dict[str, object] = {**DECISION, field: value}
    with pytest.raises(InvalidInputError) as caught:
        parse_decision(record)  # type: ignore[arg-type] # Hostile values on purpose.
    assert caught.value.field == named


def test_first_matching_rule_counts_and_unmatched_records_have_none() -> None:
    """A record that no rule speaks of names no agreement."""
    mapping = parse_mapping(f"format: quanze-xroad-mapping-v1\nrules: [{RULE}]".encode())
    member = {"serviceXRoadInstance": "S", "serviceMemberClass": "G", "serviceMemberCode": "1"}
    named = parse_exchange({**EXCHANGE, **member, "serviceSubsystemCode": "V", "serviceCode": "a"})
    other = parse_exchange({**EXCHANGE, **member, "serviceCode": "a"})
    rule = mapping.rule_for(named)
    assert rule is not None
    assert rule.agreement == "A"
    assert mapping.rule_for(other) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", "mapping"),
        ("format: other", "format"),
        ("format: quanze-xroad-mapping-v1\nrules: 5", "rules"),
        ("format: quanze-xroad-mapping-v1\nrules: [{client: '*'}]", "rules[0].provider"),
        (f"format: quanze-xroad-mapping-v1\nrules: [{RULE.replace('FILE', 'POST')}]", "rules[0].delivery"),
        (f"format: quanze-xroad-mapping-v1\nrules: [{RULE.replace('version: 1', 'version: 0')}]", "rules[0].version"),
        (f"format: quanze-xroad-mapping-v1\nrules: [{RULE.replace('agreement', 'agrement')}]", "rules[0].agrement"),
    ],
)
def test_mapping_with_a_fault_is_refused_naming_it(text: str, named: str) -> None:
    """A mapping decides what records claim, so nothing in it is guessed."""
    with pytest.raises(InvalidInputError) as caught:
        parse_mapping(text.encode())
    assert caught.value.field == named
