"""Who and what the made ledger is about. None of it exists."""

from __future__ import annotations

from typing import Final

PROVIDER: Final = "xroad:SAMPLE/GOV/10000001"
REQUESTER: Final = "xroad:SAMPLE/GOV/10000002"
AUTHORITY: Final = "xroad:SAMPLE/GOV/10000009"
DATASET: Final = f"{PROVIDER}#VEHICLES/vehicleByPlate"
PURPOSE: Final = "dpv:EnforceSecurity"
OFFICE: Final = f"office-head@{PROVIDER}"
WANTING: Final = f"office-head@{REQUESTER}"
GATEWAY: Final = f"gateway@{PROVIDER}"
INSPECTOR: Final = f"inspector@{AUTHORITY}"
REVIEWER: Final = f"reviewer@{AUTHORITY}"
ORIGIN: Final = "log.example/quanze-vectors"
