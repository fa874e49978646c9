// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "../interfaces/IRunningHeads.sol";

/// @title A hash chain over all events of each object
/// @notice Every event is emitted through here, so that the bytes in the log and the bytes in the head are the same.
/// @dev Inherit this first: proofs read the heads from storage slot 0. Spec: docs/spec and `ledger/domain/heads.py`.
abstract contract RunningHeads is IRunningHeads {
    mapping(bytes32 key => bytes32 head) private _heads;

    /// @inheritdoc IRunningHeads
    function heads(bytes32 key) public view returns (bytes32 head) {
        return _heads[key];
    }

    /// @dev Emits a log and returns its digest. `topicsAndData` holds `topicCount` words of topics (1 to 4), then the
    /// ABI encoding of the event's other fields: for static fields that is `abi.encode(selector, topics…, fields…)`.
    function _log(uint256 topicCount, bytes memory topicsAndData) internal returns (bytes32 digest) {
        digest = keccak256(topicsAndData);
        // Memory: [length][topic 0]…[topic n-1][data]. Nothing is written, and the log ends where the array ends.
        assembly ("memory-safe") {
            let topics := add(topicsAndData, 0x20)
            let head := mul(topicCount, 0x20)
            let data := add(topics, head)
            let size := sub(mload(topicsAndData), head)
            switch topicCount
            case 1 {
                log1(data, size, mload(topics))
            }
            case 2 {
                log2(data, size, mload(topics), mload(add(topics, 0x20)))
            }
            case 3 {
                log3(data, size, mload(topics), mload(add(topics, 0x20)), mload(add(topics, 0x40)))
            }
            default {
                log4(
                    data,
                    size,
                    mload(topics),
                    mload(add(topics, 0x20)),
                    mload(add(topics, 0x40)),
                    mload(add(topics, 0x60))
                )
            }
        }
    }

    /// @dev Folds a log's digest into the head of `key`.
    function _advance(bytes32 key, bytes32 digest) internal {
        _heads[key] = keccak256(abi.encode(_heads[key], block.number, block.timestamp, digest));
    }

    /// @dev Emits a log that belongs to one object alone.
    function _record(bytes32 key, uint256 topicCount, bytes memory topicsAndData) internal {
        _advance(key, _log(topicCount, topicsAndData));
    }
}
