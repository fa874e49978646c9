"""One pinned compiler driven in two ways: by Hardhat, and by py-solc-x over npm's solc.

Both give the same ``Compiled`` for a contract, or the build stops: a mistake of either driver (another setting,
another import, a stale cache) then shows as a difference.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import solcx

from scripts.contracts.sources import source_closure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION: Final = "0.8.30"
SETTINGS: Final[dict[str, Any]] = {
    "evmVersion": "london",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"bytecodeHash": "none"},
}
"""What both drivers compile with; hardhat.config.js says the same, and the comparison of the two proves it."""

_OUTPUTS: Final = ("abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler makes of one contract, without anything that depends on where the sources are.

    Attributes:
        abi: Functions, events and errors.
        initcode: What a deployment sends, before its arguments.
        runtime: The code on chain, with zeros where immutables will be.
        immutables: (start, length) of each immutable in ``runtime``.
        storage: Label, type, slot and offset of each state variable.
    """

    abi: list[dict[str, Any]]
    initcode: str
    runtime: str
    immutables: list[list[int]]
    storage: list[dict[str, Any]]


class BuildError(Exception):
    """The contracts do not compile, or the two drivers disagree."""


def with_hardhat(root: Path, contracts: Mapping[str, str]) -> dict[str, Compiled]:
    """Compile with Hardhat and return the wanted contracts.

    Args:
        root: The project's root.
        contracts: Contract name → name of its source.

    Raises:
        BuildError: Hardhat fails, or makes no such contract.
    """
    build = root / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        command = [str(_node()), "node_modules/hardhat/dist/src/cli.js", "build", "--no-tests", "--quiet"]
        plain = {"HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1", "FORCE_COLOR": "0", "HARDHAT_OUTPUT": folder}
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **plain}, capture_output=True, text=True, check=False
        )
        if done.returncode or re.search(r"\bwarning\b", done.stdout + done.stderr, flags=re.IGNORECASE):
            raise BuildError(f"Hardhat: {done.stdout[-4000:]}{done.stderr[-4000:]}")
        artifacts = Path(folder) / "artifacts"
        return {name: _built_by_hardhat(artifacts, source, name) for name, source in contracts.items()}


def _built_by_hardhat(artifacts: Path, source: str, name: str) -> Compiled:
    path = artifacts / source / f"{name}.json"
    if not path.is_file():
        raise BuildError(f"Hardhat made no {name} of {source}")
    artifact = json.loads(path.read_bytes())
    output = json.loads((artifacts / "build-info" / f"{artifact['buildInfoId']}.output.json").read_bytes())
    return _compiled(output["output"]["contracts"][artifact["inputSourceName"]][name])


def with_solcx(root: Path, contracts: Mapping[str, str]) -> dict[str, Compiled]:
    """Compile with py-solc-x and return the wanted contracts; `contracts` as for `with_hardhat`.

    Raises:
        BuildError: The compiler refuses, warns, or makes no such contract.
    """
    output = compile_sources(root, source_closure(root, contracts.values()), SETTINGS)
    return {name: _compiled(output["contracts"][source][name]) for name, source in contracts.items()}


def compile_sources(root: Path, sources: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the compiler's standard output for sources by name.

    Raises:
        BuildError: The compiler refuses, or warns of anything.
    """
    asked = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {**settings, "outputSelection": {"*": {"*": list(_OUTPUTS)}}},
    }
    # A path of solc itself is what py-solc-x wants: this one is a shell line that starts the Node of the environment.
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "solc"
        binary.write_text(f'#!/bin/sh\nexec "{_node()}" "{root}/scripts/contracts/solc.cjs" "$@"\n', encoding="utf-8")
        binary.chmod(0o755)
        try:
            output: dict[str, Any] = solcx.compile_standard(asked, solc_binary=binary)
        except solcx.exceptions.SolcError as error:
            raise BuildError(f"py-solc-x: {error}") from error
    if output.get("errors"):
        raise BuildError("py-solc-x: " + "".join(error["formattedMessage"] for error in output["errors"]))
    return output


def _compiled(output: Mapping[str, Any]) -> Compiled:
    runtime = output["evm"]["deployedBytecode"]
    places = [place for found in runtime.get("immutableReferences", {}).values() for place in found]
    return Compiled(
        abi=output["abi"],
        initcode=output["evm"]["bytecode"]["object"],
        runtime=runtime["object"],
        immutables=sorted([place["start"], place["length"]] for place in places),
        storage=_storage(output["storageLayout"]),
    )


def _storage(layout: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the layout with types by what they are, not by the compiler's own numbers."""
    types: Mapping[str, Any] = layout["types"] or {}
    return [
        {
            "label": variable["label"],
            "slot": int(variable["slot"]),
            "offset": variable["offset"],
            **_type(types, variable["type"]),
        }
        for variable in layout["storage"]
    ]


def _type(types: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = types[name]
    shown: dict[str, Any] = {"type": found["label"], "bytes": int(found["numberOfBytes"])}
    members: Sequence[Mapping[str, Any]] = found.get("members", ())
    if members:
        shown["members"] = [
            {
                "label": member["label"],
                "slot": int(member["slot"]),
                "offset": member["offset"],
                **_type(types, member["type"]),
            }
            for member in members
        ]
    for part in ("value", "base"):
        if part in found and types[found[part]].get("members"):
            shown[part] = _type(types, found[part])
    return shown


def _node() -> Path:
    return Path(sys.prefix) / "bin" / "node"
