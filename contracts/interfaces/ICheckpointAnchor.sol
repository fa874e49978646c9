// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/**
 * @title ICheckpointAnchor
 * @notice Records the size and root of the event log, each proved on chain to extend the one before.
 * @dev What reporters sign for the log alone (`EventBatch`) names this contract's address in its EIP-712 domain.
 * An RFC 6962 root does not commit to its size: trees of two sizes may take the same proof. Which size a root has is what
 * the signed note says, so whoever checks an anchor compares the note behind `noteHash` with it.
 */
interface ICheckpointAnchor {
    /// @notice Only the operator anchors.
    error AnchorNotOperator(address sender, address operator);
    /// @notice An anchor must cover more leaves than the one before.
    error AnchorNotLarger(uint64 size, uint64 anchored);
    /// @notice The proof does not show that the new tree extends the anchored one.
    error AnchorInconsistent(uint64 anchored, uint64 size, bytes32 anchoredRoot, bytes32 root);
    /// @notice The first anchor has nothing to be consistent with, so it takes no proof.
    error AnchorProofNotNeeded(uint256 length);
    /// @notice Nobody could anchor.
    error AnchorOperatorMissing();
    /// @notice The log's key is another one than the one to be replaced.
    error AnchorLogKeyOther(bytes32 keyHash, bytes32 current);
    /// @notice A key follows another one, and neither is zero.
    error AnchorLogKeyUnchanged(bytes32 oldKeyHash, bytes32 newKeyHash);

    /// @notice A checkpoint's size and root, proved consistent with the ones before, were recorded.
    /// @param size The log's number of leaves.
    /// @param root The root over them.
    /// @param noteHash SHA-256 of the signed checkpoint note.
    event CheckpointAnchored(uint64 indexed size, bytes32 root, bytes32 noteHash);

    /// @notice Another account may anchor.
    event OperatorChanged(address indexed oldOperator, address indexed newOperator);

    /// @notice The log's checkpoints are signed by another key from here on; for a while by both.
    /// @param oldKeyHash SHA-256 of the old key's C2SP vkey text.
    /// @param newKeyHash SHA-256 of the new key's C2SP vkey text.
    /// @param size The log's number of leaves at the last anchor.
    event LogKeyRotated(bytes32 indexed oldKeyHash, bytes32 indexed newKeyHash, uint64 size);

    /**
     * @notice Anchors a checkpoint. Only the operator may.
     * @param size The log's number of leaves, more than at the last anchor.
     * @param root The root over them.
     * @param noteHash SHA-256 of the signed checkpoint note; kept in the event only.
     * @param proof RFC 6962 consistency proof from the last anchor; empty for the first anchor.
     */
    function anchor(uint64 size, bytes32 root, bytes32 noteHash, bytes32[] calldata proof) external;

    /**
     * @notice Records that another key signs the log's checkpoints. Only the operator may.
     * @dev Rotations follow each other: each names the key that the one before put in place. The contract checks no
     * signature of these keys, which are Ed25519; it says when the operator announced which key, and in what order.
     * @param oldKeyHash SHA-256 of the old key's C2SP vkey text.
     * @param newKeyHash SHA-256 of the new key's C2SP vkey text.
     */
    function rotateLogKey(bytes32 oldKeyHash, bytes32 newKeyHash) external;

    /**
     * @notice Makes another account the operator. Only the admin may (AccessManager).
     * @param newOperator The account; not zero.
     */
    function setOperator(address newOperator) external;

    /**
     * @notice Returns size and root of the last anchor; zeros before the first.
     */
    function latest() external view returns (uint64 size, bytes32 root);

    /**
     * @notice Says whether a leaf is in the log as it was last anchored.
     * @param leaf The leaf's hash, SHA-256(0x00 ‖ leaf).
     * @param index The leaf's place in the log.
     * @param proof RFC 6962 audit path in the tree of the last anchor's size.
     */
    function includes(bytes32 leaf, uint64 index, bytes32[] calldata proof) external view returns (bool);

    /**
     * @notice Returns SHA-256 of the vkey text that the last rotation put in place; zero before the first.
     */
    function logKeyHash() external view returns (bytes32);

    /**
     * @notice Returns the account that may anchor.
     */
    function operator() external view returns (address);

    /**
     * @notice Returns the contract whose anchors this one continues; zero if it continues none.
     */
    function predecessor() external view returns (ICheckpointAnchor);
}
