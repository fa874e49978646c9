"""Every setting of the product, read once from ``QUANZE_…`` variables by ``ledger.bootstrap``.

Units are in the names. Nothing here is a secret in clear: the passphrase is a ``SecretStr`` that code may give,
and it is read from a file (``QUANZE_PASSPHRASE_FILE``), never from a variable that every child would inherit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

GIVEN_BY_CODE: Final = frozenset({"passphrase"})
"""Settings that no variable sets."""


class _Environment(EnvSettingsSource):
    """The variables of this process, without those that are not read."""

    def __call__(self) -> dict[str, Any]:
        """Return the settings that variables give."""
        return {name: value for name, value in super().__call__().items() if name not in GIVEN_BY_CODE}


class Settings(BaseSettings):
    """The frozen settings of one process."""

    model_config = SettingsConfigDict(env_prefix="QUANZE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(
        default_factory=lambda: Path.home() / ".quanze",
        description="The home folder: chain, log, vault, keys and index.",
    )
    passphrase_file: Path | None = Field(
        default=None, description="A file whose first line unlocks the keystores unattended."
    )
    passphrase: SecretStr | None = Field(default=None, description="The passphrase itself, where code has it.")
    chain_url: str | None = Field(
        default=None, description="A JSON-RPC endpoint to use in place of the embedded engine."
    )
    chain_finality_blocks: int | None = Field(
        default=None,
        ge=0,
        description="Blocks on top that make a block of the endpoint final; without it, the node's own `finalized`.",
    )
    anvil: Path | None = Field(default=None, description="The anvil program; found beside the package when absent.")
    keystore_scrypt_n: int = Field(
        default=2**15, ge=2, description="Work factor of new keystores, a power of two; raise it where people type."
    )
    block_time_lead_max_s: int = Field(
        default=0, ge=0, description="How far block times may run ahead of the clock, in seconds; 0 for a real ledger."
    )
    log_store: str = Field(
        default="",
        description="Where a new home publishes its log: `s3://bucket/prefix`, a folder, or its own one if empty.",
    )
    s3_endpoint: str = Field(default="", description="The S3 service of the log's store, where it is not Amazon's.")
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8430, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    batch_readers: int = Field(
        default=1,
        ge=0,
        le=16,
        description="Processes that read large batches while others are appended; 0 reads them where they arrive.",
    )
    checkpoint_interval_ms: int = Field(
        default=500,
        ge=10,
        le=1000,
        description="Longest time from a leaf to its checkpoint, and the shortest between two, in milliseconds.",
    )
    witnesses: Path | None = Field(
        default=None,
        description="A C2SP tlog-policy file: which witnesses must cosign a checkpoint before it is published.",
    )
    witness_timeout_ms: int = Field(
        default=1000,
        ge=50,
        le=60_000,
        description="Longest time that a checkpoint waits for its witnesses, in milliseconds.",
    )
    index_interval_ms: int = Field(
        default=200,
        ge=10,
        le=10_000,
        description="How often the index looks for new blocks and leaves, in milliseconds.",
    )
    anchor_every_events: int = Field(
        default=65_536, ge=1, description="Entries that may wait for an anchor; with this many one is made at once."
    )
    metrics_from_anywhere: bool = Field(
        default=False, description="Whether `/metrics` answers others than this machine itself."
    )
    anchor_max_age_s: float = Field(
        default=10.0,
        gt=0,
        le=25,
        description="Longest time that an entry waits before its anchor is sent, in seconds.",
    )
    binding_age_max_s: int = Field(
        default=60,
        ge=1,
        le=60,
        description="Oldest bound block that an anchor still accepts, in seconds (STALE_BINDING beyond).",
    )
    clock_skew_max_s: int = Field(default=120, ge=0, description="How far in the future an event may lie, in seconds.")
    clock_back_max_s: int = Field(
        default=300,
        ge=0,
        description="How far the clock may be behind the newest event, in seconds; no event is accepted beyond.",
    )
    high_water_file: Path | None = Field(
        default=None,
        description="A file outside the home that keeps the log's largest size, to recognise an older copy by.",
    )
    read_only: bool = Field(
        default=False, description="Open the home for reading alone, also where it is an older copy."
    )
    signature_ttl_s: int = Field(
        default=3600, ge=1, description="Life of a signed request made by this process, in seconds."
    )
    language: str = Field(default="", description="zh or en; empty reads LANG.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base calls it so.
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base calls it so.
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base calls it so.
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what code gives, then the variables, and nothing else."""
        return init_settings, _Environment(settings_cls)
