"""The index port: what the use-cases look up.

The index can always be rebuilt from chain, log and vault, so nothing here is a source of truth; each row
names the event it came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_log import Event, Recorded
    from ledger.service.index_rows import (
        AgencyRow,
        AgreementRow,
        AnchorRow,
        CaseRow,
        Counters,
        EntryRow,
        FactFilter,
        FactRow,
        GrantRow,
        KeyRow,
        Page,
        PostRow,
        ResponsibilityRow,
        SignatureRow,
        StatusRow,
    )
    from ledger.service.ports import BlockRef


class Histories(Protocol):
    """Events as they were recorded, by the running head they advanced."""

    def cursor(self) -> BlockRef:
        """Return the newest block that the index holds."""
        ...

    def history(self, contract: str, head_key: bytes, up_to_block: int | None = None) -> list[Recorded[Event]]:
        """Return every event of a contract that advanced ``head_key``, oldest first."""
        ...

    def events(self, after: str = "", limit: int = 100) -> Page[Recorded[Event]]:
        """Return all events in the order of the chain, a page at a time."""
        ...


class Registers(Protocol):
    """What is registered now. Lists come in the order of the chain, a page at a time."""

    def agencies(self, after: str = "", limit: int = 100) -> Page[AgencyRow]:
        """Return agencies."""
        ...

    def posts(self, agency: bytes | None = None, after: str = "", limit: int = 100) -> Page[PostRow]:
        """Return posts, of one agency if given."""
        ...

    def keys(self, post: bytes | None = None, after: str = "", limit: int = 100) -> Page[KeyRow]:
        """Return key bindings, of one post if given."""
        ...

    def entries(self, agency: bytes | None = None, after: str = "", limit: int = 100) -> Page[EntryRow]:
        """Return every version of the entries, of one agency if given."""
        ...

    def identifiers(self, kind: str, hex_prefix: str = "") -> list[bytes]:
        """Return the ids of a kind (agency, post, dataset, agreement, assignment, case) with a prefix."""
        ...


class Accounts(Protocol):
    """Agreements, responsibilities, cases and anchors as they stand now."""

    def agreements(
        self, party: bytes | None = None, state: int | None = None, after: str = "", limit: int = 100
    ) -> Page[AgreementRow]:
        """Return agreements, of one party and in one state if given."""
        ...

    def grants(
        self,
        *,
        provider: bytes | None = None,
        recipient: bytes | None = None,
        dataset: bytes | None = None,
        agreement: bytes | None = None,
        after: str = "",
        limit: int = 100,
    ) -> Page[GrantRow]:
        """Return the grants of every version, narrowed by what is given."""
        ...

    def signatures(self, agreement: bytes) -> list[SignatureRow]:
        """Return all signatures under an agreement."""
        ...

    def statuses(self, agreement: bytes) -> list[StatusRow]:
        """Return the statuses it has had, oldest first."""
        ...

    def responsibilities(
        self,
        object_id: bytes | None = None,
        duty: int | None = None,
        assignee: bytes | None = None,
        after: str = "",
        limit: int = 100,
    ) -> Page[ResponsibilityRow]:
        """Return assignments, narrowed by what is given."""
        ...

    def cases(self, *, sealed: bool, after: str = "", limit: int = 100) -> Page[CaseRow]:
        """Return cases whose notice opened them, or those still sealed; the public sees only the former."""
        ...

    def anchors(self, after: str = "", limit: int = 100) -> Page[AnchorRow]:
        """Return anchors."""
        ...


class Facts(Protocol):
    """Facts of the log, found by what their vault documents say."""

    def fact(self, leaf_index: int) -> FactRow | None:
        """Return the fact at an index of the log."""
        ...

    def find_event(self, event_id: str) -> list[FactRow]:
        """Return the facts whose event has this id."""
        ...

    def facts(self, wanted: FactFilter, after: str = "", limit: int = 100) -> Page[FactRow]:
        """Return facts in the order of the log."""
        ...

    def verdict_counts(self) -> Sequence[tuple[str, int]]:
        """Return WITHIN_SCOPE and each mismatch code with the number of facts that carry it."""
        ...

    def counters(self) -> Counters:
        """Return the public totals."""
        ...


class Index(Histories, Registers, Accounts, Facts, Protocol):
    """All of it: what one adapter gives."""
