"""The mapping file: what an X-Road record cannot say, told by the one who imports it.

    format: quanze-xroad-mapping-v1
    rules:
      - client: xroad:EE/GOV/70000001      # or "*"
        provider: xroad:EE/GOV/70000002
        service: POPULATION/*              # * at the end matches any rest
        agreement: DSA-001                 # a reference, or the agreement's id in hex
        version: 1
        purpose: dpv:PublicHealth
        delivery: INTERFACE
        dataset: POPULATION/person         # optional: the dataset's code where it is not the service's

The first matching rule counts. A record that no rule matches names no agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from ledger.domain.codes import Delivery
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import parse_agency, parse_code

if TYPE_CHECKING:
    from ledger.service.importing.xroad_opmon import ExchangeRecord

FORMAT: Final = "quanze-xroad-mapping-v1"
_REQUIRED: Final = ("client", "provider", "service", "agreement", "version", "purpose", "delivery")
_KNOWN: Final = frozenset({*_REQUIRED, "dataset"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Which exchanges fall under which agreement, for what and how."""

    client: str
    provider: str
    service: str
    agreement: str
    version: int
    purpose: str
    delivery: Delivery
    dataset: str

    def matches(self, record: ExchangeRecord) -> bool:
        """Say whether the rule speaks of this record."""
        if self.provider != record.provider or self.client not in {"*", record.requester}:
            return False
        if self.service.endswith("*"):
            return bool(record.service) and record.service.startswith(self.service[:-1])
        return self.service == record.service


@dataclass(frozen=True, slots=True)
class Mapping:
    """The rules in their order."""

    rules: tuple[Rule, ...]

    def rule_for(self, record: ExchangeRecord) -> Rule | None:
        """Return the first rule that matches."""
        return next((rule for rule in self.rules if rule.matches(record)), None)


def parse_mapping(data: bytes) -> Mapping:
    """Parse a mapping file.

    Raises:
        InvalidInputError: Not YAML, another format, or a rule with a missing, unknown or wrong field.
    """
    try:
        outer = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidInputError("mapping", str(error)[:200], "YAML or JSON") from error
    if not isinstance(outer, dict) or outer.get("format") != FORMAT:
        raise InvalidInputError("format", outer.get("format") if isinstance(outer, dict) else outer, FORMAT)
    rules = outer.get("rules")
    if not isinstance(rules, list):
        raise InvalidInputError("rules", rules, "a list of rules")
    return Mapping(tuple(_rule(index, rule) for index, rule in enumerate(rules)))


def _rule(index: int, rule: object) -> Rule:
    path = f"rules[{index}]"
    if not isinstance(rule, dict):
        raise InvalidInputError(path, rule, "an object")
    for field in rule:
        if field not in _KNOWN:
            raise InvalidInputError(f"{path}.{field}", field, "one of " + ", ".join(sorted(_KNOWN)))
    for field in _REQUIRED:
        if field not in rule:
            raise InvalidInputError(f"{path}.{field}", None, "a value; the field is missing")
    version = rule["version"]
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InvalidInputError(f"{path}.version", version, "an integer from 1")
    for field in (*_REQUIRED, "dataset"):
        if field != "version" and not isinstance(rule.get(field, ""), str):
            raise InvalidInputError(f"{path}.{field}", rule[field], "a text")
    if rule["delivery"] not in Delivery.__members__:
        raise InvalidInputError(f"{path}.delivery", rule["delivery"], ", ".join(Delivery.__members__))
    client = rule["client"]
    return Rule(
        client=client if client == "*" else str(parse_agency(client, f"{path}.client")),
        provider=str(parse_agency(rule["provider"], f"{path}.provider")),
        service=rule["service"],
        agreement=rule["agreement"],
        version=version,
        purpose=str(parse_code(rule["purpose"], f"{path}.purpose")),
        delivery=Delivery[rule["delivery"]],
        dataset=rule.get("dataset", ""),
    )
