"""What a form offers to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.service.pages.names import Name, agency_name, dataset_name

if TYPE_CHECKING:
    from ledger.service.services import Services

_OFFERED = 500
"""More choices than a list helps with."""


def all_agencies(services: Services) -> tuple[Name, ...]:
    """Return the agencies' names, in the order of their admission."""
    return tuple(agency_name(services, agency) for agency in services.state.ids("agency")[:_OFFERED])


def all_datasets(services: Services) -> tuple[Name, ...]:
    """Return the names of the datasets that have an entry."""
    return tuple(dataset_name(services, dataset) for dataset in services.state.ids("dataset")[:_OFFERED])
