"""Private documents: what a commitment on chain or in the log stands for, kept in the vault.

``store`` salts and commits the groups and returns only once the vault has them on disk, so that no
commitment can be published whose opening a crash could lose.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ledger.domain.commitment import SALT_BYTES, commit
from ledger.service.ports import VaultDocument

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ledger.domain.canonical import Json
    from ledger.domain.codes import Tier
    from ledger.service.ports import Vault


def make_document(
    kind: str,
    tier: Tier,
    values: Mapping[str, Json],
    *,
    texts: Mapping[str, Iterable[str]] | None = None,
    extra: Mapping[str, object] | None = None,
) -> VaultDocument:
    """Return a document with fresh salts, not stored yet.

    Args:
        kind: What the document is, as ``agency`` or ``event``.
        tier: Who may read it.
        values: Group name → value.
        texts: Text ids whose hashes stand on chain, by their kind (agency, post, dataset, code); the
            directory learns the names from them.
        extra: What no commitment covers.
    """
    commitment = commit(values, {name: secrets.token_bytes(SALT_BYTES) for name in values})
    known = {kind_of: sorted(set(some)) for kind_of, some in (texts or {}).items()}
    return VaultDocument(
        commitment=commitment.root,
        kind=kind,
        tier=tier.value,
        groups=commitment.by_name(),
        extra={**(extra or {}), **({"texts": known} if known else {})},
    )


def values_of(document: VaultDocument) -> dict[str, object]:
    """Return a document's groups without their salts."""
    return {name: value for name, (_, value) in document.groups.items()}


def store(vault: Vault, document: VaultDocument) -> bytes:
    """Put a document on disk and return its commitment."""
    vault.put([document])
    return document.commitment
