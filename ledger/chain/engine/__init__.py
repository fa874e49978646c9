"""The chain behind the port ``Chain``: anvil driven by our journal, or any JSON-RPC network.

``docs/embedded-chain.md`` tells how a transaction becomes a block, and what survives a kill.
"""

from ledger.chain.engine.config import CHAIN_ID_MAX, CHAIN_ID_MIN, EngineConfig
from ledger.chain.engine.embedded import EmbeddedChain
from ledger.chain.engine.remote import FinalityDepth, FinalizedTag, RemoteChain
from ledger.domain.seal import deployment_id, seal_digest

__all__ = [
    "CHAIN_ID_MAX",
    "CHAIN_ID_MIN",
    "EmbeddedChain",
    "EngineConfig",
    "FinalityDepth",
    "FinalizedTag",
    "RemoteChain",
    "deployment_id",
    "seal_digest",
]
