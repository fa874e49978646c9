// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The heads by which an auditor sees that no event of an object was left out
interface IRunningHeads {
    /// @notice The running head of an object or a look-up pair.
    /// @dev `head = keccak256(abi.encode(previousHead, block.number, block.timestamp, digest))` with
    /// `digest = keccak256(topics ‖ data)` of the log as emitted; read by storage proofs from the mapping at slot 0.
    /// @param key The object's id, or `keccak256(abi.encode(first, second))` of a pair.
    /// @return head The head; zero if nothing was ever recorded.
    function heads(bytes32 key) external view returns (bytes32 head);
}
