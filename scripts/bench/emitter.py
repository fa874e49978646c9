"""A contract that emits whatever logs its call data lists, so that a follower can be tried before or without ours.

Call data is any number of records: topics (1 byte) ‖ data length (2 bytes) ‖ four topics (128 bytes, unused ones
zero) ‖ data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TOPICS: Final = 4
_HEAD: Final = 3
_DATA: Final = _HEAD + 32 * _TOPICS

_OPS: Final = {
    "STOP": 0x00, "ADD": 0x01, "GT": 0x11, "EQ": 0x14, "BYTE": 0x1A, "SHL": 0x1B, "SHR": 0x1C, "CALLDATALOAD": 0x35,
    "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "POP": 0x50, "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B,
    "SWAP1": 0x90,
}  # fmt: skip


def call_of(logs: Iterable[tuple[Sequence[bytes], bytes]]) -> bytes:
    """Return the call data that makes the contract emit logs, given as topics and data."""
    records = []
    for topics, data in logs:
        padded = b"".join(topics).ljust(32 * _TOPICS, b"\0")
        records.append(bytes((len(topics),)) + len(data).to_bytes(2, "big") + padded + data)
    return b"".join(records)


def _program() -> bytes:
    """Assemble: for each record, copy its data to memory, push its topics, emit, step on."""
    steps: list[str | int] = [0, ":loop", "DUP1", "CALLDATASIZE", "GT", "@body", "JUMPI", "STOP"]
    steps += [":body", "DUP1", "CALLDATALOAD", "DUP1", 0, "BYTE", "SWAP1", 8, "SHL", 240, "SHR"]
    steps += ["DUP1", "DUP4", _DATA, "ADD", 0, "CALLDATACOPY"]
    for count in range(_TOPICS + 1):
        steps += ["DUP2", count, "EQ", f"@log{count}", "JUMPI"]
    steps.append("STOP")
    for count in range(_TOPICS + 1):
        steps.append(f":log{count}")
        for pushed, topic in enumerate(reversed(range(count))):
            steps += [f"DUP{3 + pushed}", _HEAD + 32 * topic, "ADD", "CALLDATALOAD"]
        steps += [f"DUP{1 + count}", 0, f"LOG{count}", "@next", "JUMP"]
    steps += [":next", "SWAP1", "POP", "ADD", _DATA, "ADD", "@loop", "JUMP"]
    return _assemble(steps)


def _assemble(steps: Sequence[str | int]) -> bytes:
    code, labels, uses = bytearray(), dict[str, int](), list[tuple[int, str]]()
    for step in steps:
        if isinstance(step, int):
            code += bytes((0x60, step))
        elif step.startswith(":"):
            labels[step[1:]] = len(code)
            code.append(_OPS["JUMPDEST"])
        elif step.startswith("@"):
            uses.append((len(code) + 1, step[1:]))
            code += b"\x61\0\0"
        elif step.startswith("DUP"):
            code.append(0x7F + int(step[3:]))
        elif step.startswith("LOG"):
            code.append(0xA0 + int(step[3:]))
        else:
            code.append(_OPS[step])
    for place, label in uses:
        code[place : place + 2] = labels[label].to_bytes(2, "big")
    return bytes(code)


EMITTER: Final = _program()
EMITTER_INITCODE: Final = bytes.fromhex(f"61{len(EMITTER):04x}600e60003961{len(EMITTER):04x}6000f3") + EMITTER
"""Copies the 14 bytes' successor, the program, to memory and returns it."""
