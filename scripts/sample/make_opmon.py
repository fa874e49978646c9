"""Make the sample exchange records, in the schema of X-Road's operational monitoring.

The records are the project's own: the instance ``SAMPLE`` and its members do not exist. They show what
real security servers write: both sides of a request under one ``xRequestId``, one-sided and failed
requests, records that name no service at all, reused message ids, services without a subsystem, and the
three service types. The output is deterministic, so that a second run of the demonstration imports the
same records and changes nothing.

    python -m scripts.sample.make_opmon > scripts/sample/xroad-opmon.json
"""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass

_INSTANCE = "SAMPLE"
_NAMESPACE = uuid.UUID("9f0f3c52-6a0e-5f0b-9d7e-3b1b3a0c7a11")
_START_MS = 1_757_894_400_000  # 2025-09-15T00:00:00Z
_BEFORE_WINDOW_MS = 1_734_220_800_000  # 2024-12-15T00:00:00Z
_MINUTE_MS = 60_000

Field = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request from a client member to a service, and how it went."""

    client: str
    service: str
    subsystem: str
    code: str
    service_type: str
    at_ms: int
    message_id: str
    sides: tuple[str, ...] = ("Client", "Producer")
    fault: tuple[str, str] | None = None


def _record(exchange: Exchange, side: str) -> dict[str, Field]:
    """Return one side's record; a failed request has no response and carries its fault."""
    seed = f"{exchange.client}{exchange.service}{exchange.code}{exchange.at_ms}"
    delay = 17 if side == "Producer" else 0
    record: dict[str, Field] = {
        "monitoringDataTs": (exchange.at_ms + delay) // 1000,
        "securityServerInternalIp": "192.0.2.10" if side == "Client" else "192.0.2.20",
        "securityServerType": side,
        "requestInTs": exchange.at_ms + delay,
        "requestOutTs": exchange.at_ms + delay + 2,
        "responseOutTs": exchange.at_ms + 41 - delay,
        "clientXRoadInstance": _INSTANCE,
        "clientMemberClass": "GOV",
        "clientMemberCode": exchange.client,
        "clientSubsystemCode": "CASEWORK",
        "serviceXRoadInstance": _INSTANCE,
        "serviceMemberClass": "GOV",
        "serviceMemberCode": exchange.service,
        "serviceCode": exchange.code,
        "messageId": exchange.message_id,
        "messageProtocolVersion": "4.0" if exchange.service_type == "WSDL" else "1",
        "clientSecurityServerAddress": "ss1.sample.example",
        "serviceSecurityServerAddress": "ss2.sample.example",
        "requestSize": 938,
        "requestAttachmentCount": 0,
        "succeeded": exchange.fault is None,
        "xRequestId": str(uuid.uuid5(_NAMESPACE, seed)),
        "serviceType": exchange.service_type,
        "insertTime": round((exchange.at_ms + 60_000) / 1000 + 0.12345, 5),
    }
    if exchange.subsystem:
        record["serviceSubsystemCode"] = exchange.subsystem
    if exchange.service_type == "OPENAPI3":
        record["restMethod"] = "GET"
        record["restPath"] = "/vehicles/*"
    if exchange.fault is not None:
        record["faultCode"], record["faultString"] = exchange.fault
        return record
    record["responseInTs"] = exchange.at_ms + 30
    record["responseSize"] = 1404
    record["responseAttachmentCount"] = 0
    if exchange.service_type != "WSDL":
        record["statusCode"] = 200
    else:
        record["responseMimeSize"] = 1404
    return record


def _refused(at_ms: int) -> dict[str, Field]:
    """Return a record of a request refused before it named a service, as real servers write it."""
    return {
        "monitoringDataTs": at_ms // 1000,
        "securityServerInternalIp": "192.0.2.10",
        "securityServerType": "Client",
        "requestInTs": at_ms,
        "responseOutTs": at_ms + 1,
        "succeeded": False,
        "faultCode": "Client.InvalidHttpMethod",
        "faultString": "Must use POST request method instead of GET",
        "insertTime": round(at_ms / 1000 + 30.5, 5),
    }


def _exchanges() -> list[Exchange]:
    """Return the exchanges, a minute apart, in the order in which the servers saw them."""
    network = ("Server.ClientProxy.NetworkError", "Could not connect to any target host")
    unknown = ("Server.ServerProxy.UnknownService", "Unknown service")
    plan: list[tuple[str, str, str, str, tuple[str, ...], tuple[str, str] | None, str]] = []
    both = ("Client", "Producer")
    plan += [("10000002", "VEHICLES", "vehicleByPlate", "REST", both, None, "")] * 12
    plan += [("10000002", "VEHICLES", "inspectionStatus", "OPENAPI3", both, None, "")] * 6
    plan += [("10000002", "VEHICLES", "vehicleByPlate", "REST", ("Producer",), None, "")] * 2
    plan += [("10000002", "VEHICLES", "vehicleByPlate", "REST", ("Client",), network, "")]
    plan += [("10000002", "VEHICLES", "ownerHistory", "WSDL", both, None, "test")] * 2
    plan += [("10000002", "VEHICLES", "bulkExport", "REST", both, None, "")]
    plan += [("10000002", "VEHICLES", "insuranceCheck", "WSDL", both, None, "test")]
    plan += [("10000003", "VEHICLES", "vehicleByPlate", "REST", both, None, "")]
    plan += [("10000003", "VEHICLES", "doesnotexist", "WSDL", ("Client",), unknown, "test")]
    plan += [("10000002", "", "getSecurityServerOperationalData", "WSDL", ("Client",), None, "")]
    exchanges = []
    for index, (client, subsystem, code, kind, sides, fault, message) in enumerate(plan):
        at_ms = _START_MS + index * _MINUTE_MS
        name = message or f"SAMPLE-{uuid.uuid5(_NAMESPACE, str(index))}"
        exchanges.append(Exchange(client, "10000001", subsystem, code, kind, at_ms, name, sides, fault))
    early = Exchange(
        "10000002", "10000001", "VEHICLES", "vehicleByPlate", "REST", _BEFORE_WINDOW_MS, "SAMPLE-before-window"
    )
    later = _START_MS + len(plan) * _MINUTE_MS
    stale = Exchange(
        "10000002", "10000001", "VEHICLES", "inspectionStatusV2", "REST", later, "SAMPLE-version-not-in-force"
    )
    elsewhere = Exchange(
        "10000002", "10000003", "MIRROR", "vehicleByPlate", "REST", later + _MINUTE_MS, "SAMPLE-mirror"
    )
    return [*exchanges, early, stale, elsewhere]


def live_record(code: str, at_ms: int) -> dict[str, Field]:
    """Return the client's record of one exchange under the short agreement, made while a demonstration runs."""
    return _record(
        Exchange("10000002", "10000001", "ALERTS", "stolenVehicle", "REST", at_ms, f"SAMPLE-live-{code}"), "Client"
    )


def records() -> list[dict[str, Field]]:
    """Return all records, clients' and producers' interleaved."""
    made = [_record(exchange, side) for exchange in _exchanges() for side in exchange.sides]
    return [*made, _refused(_START_MS + 3_600_000), _refused(_START_MS + 3_601_000)]


if __name__ == "__main__":
    json.dump(records(), sys.stdout, indent=1)
    sys.stdout.write("\n")
