"""Return data of a revert → the contract's named error with its values, by selector over all our contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from ledger.domain.errors import RefusedError
from ledger.domain.keccak import keccak256_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SELECTOR_BYTES = 4
_MAX_JSON_INTEGER = 2**53 - 1
# Solidity's own two: a failed require() with text, and a failed assertion by number.
_BUILT_IN: tuple[dict[str, Any], ...] = (
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "panic_code", "type": "uint256"}]},
)


class ContractErrors:
    """Names for revert data, from the ABIs of all contracts."""

    def __init__(self, abis: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Take the ABIs by contract name.

        A nested call may bring up the error of another contract, so selectors of all of them are known.
        """
        self._errors: dict[bytes, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
        for abi in (*abis.values(), _BUILT_IN):
            for item in abi:
                if item.get("type") == "error":
                    types = tuple(canonical_type(field) for field in item["inputs"])
                    names = tuple(field["name"] or f"value{place}" for place, field in enumerate(item["inputs"]))
                    selector = keccak256_text(f"{item['name']}({','.join(types)})")[:_SELECTOR_BYTES]
                    self._errors[selector] = (item["name"], names, types)

    def refusal(self, data: bytes, contract: str = "") -> RefusedError:
        """Return the error for a revert's return data.

        Data of no error that we know is still a refusal: ``UnknownError`` with the bytes, or
        ``RevertedWithoutReason`` where there are none.
        """
        if not data:
            return RefusedError("RevertedWithoutReason", {}, contract)
        known = self._errors.get(data[:_SELECTOR_BYTES])
        if known is not None:
            name, names, types = known
            try:
                values = decode(types, data[_SELECTOR_BYTES:])
            except (DecodingError, OverflowError, ValueError):
                pass  # A selector of ours before bytes that are not its values: shown as they are.
            else:
                shown = {field: _plain(value) for field, value in zip(names, values, strict=True)}
                return RefusedError(name, shown, contract)
        return RefusedError("UnknownError", {"data": "0x" + data[:1024].hex()}, contract)


def canonical_type(field: Mapping[str, Any]) -> str:
    """Return an ABI field's type as selectors write it, records as tuples."""
    kind = str(field["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(part) for part in field["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MAX_JSON_INTEGER:
        return str(value)
    return value
