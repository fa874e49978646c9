"""The compiled contracts that this ledger deploys, as committed under ``contracts/artifacts``.

    artifact = load_artifact("CheckpointAnchor")
    artifact.initcode + artifact.encode_arguments([manager, operator, bytes(20)])

A file's initcode is compared with the hash beside it, so that half a file or a careless edit is noticed here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eth_abi.abi import encode

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.domain.keccak import keccak256
from ledger.service.deployment import CONTRACT_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FOLDER: Final = Path("contracts") / "artifacts"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    Attributes:
        name: The contract's name.
        abi: Its functions, events and errors.
        initcode: What creates it, before its arguments.
        initcode_hash: Keccak-256 of ``initcode``.
        runtime: Its code on chain, with zeros where immutables will be.
        immutables: (start, length) of each of those places.
    """

    name: str
    abi: Sequence[Mapping[str, Any]]
    initcode: bytes
    initcode_hash: bytes
    runtime: bytes
    immutables: tuple[tuple[int, int], ...]

    def arguments(self) -> tuple[tuple[str, str], ...]:
        """Return (name, type) of what its constructor takes."""
        for item in self.abi:
            if item["type"] == "constructor":
                return tuple((field["name"], field["type"]) for field in item["inputs"])
        return ()

    def encode_arguments(self, values: Sequence[object]) -> bytes:
        """Return the constructor's arguments as they follow the initcode."""
        return encode([kind for _, kind in self.arguments()], values)

    def is_code(self, code: bytes) -> bool:
        """Say whether the code on chain is this contract's, whatever its immutables are."""
        blank = bytearray(code)
        for start, length in self.immutables:
            blank[start : start + length] = bytes(length)
        return bytes(blank) == self.runtime


@cache
def load_artifact(name: str) -> Artifact:
    """Return a compiled contract.

    Raises:
        UnavailableError: The contracts are not beside this program.
        IntegrityError: The file's initcode is not what its hash says.
    """
    path = _folder() / f"{name}.json"
    try:
        value = json.loads(path.read_bytes())
        initcode, runtime = bytes.fromhex(value["bytecode"][2:]), bytes.fromhex(value["deployedBytecode"][2:])
        stated = bytes.fromhex(value["initcodeHash"][2:])
        places = tuple((start, length) for start, length in value["immutables"])
        abi = tuple(value["abi"])
    except FileNotFoundError as error:
        raise UnavailableError(f"contract {name}", "its compiled file is not installed", path=str(path)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError("contracts", f"the compiled file of {name} cannot be read", path=str(path)) from error
    if (found := keccak256(initcode)) != stated:
        raise IntegrityError("contracts", f"the initcode of {name} is not what its hash says", found=found, hash=stated)
    return Artifact(name, abi, initcode, stated, runtime, places)


def load_abis() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the ABI of every contract by its name. Raises as `load_artifact`."""
    return {name: load_artifact(name).abi for name in CONTRACT_NAMES}


def _folder() -> Path:
    for folder in Path(__file__).resolve().parents:
        if (folder / _FOLDER).is_dir():
            return folder / _FOLDER
    raise UnavailableError("contracts", f"no {_FOLDER} beside this program")
