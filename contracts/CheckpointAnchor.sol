// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ICheckpointAnchor} from "./interfaces/ICheckpointAnchor.sol";
import {RFC6962} from "./libraries/RFC6962.sol";

/**
 * @title CheckpointAnchor
 * @notice See `ICheckpointAnchor`.
 * @dev Operator and size share one slot, so that an anchor writes two slots and its event.
 */
contract CheckpointAnchor is ICheckpointAnchor, AccessManaged {
    address private _operator;
    uint64 private _size;
    bytes32 private _root;
    bytes32 private _logKeyHash;

    /// @inheritdoc ICheckpointAnchor
    ICheckpointAnchor public immutable predecessor;

    /**
     * @param authority The AccessManager whose admin may change the operator.
     * @param operator_ The account that may anchor.
     * @param predecessor_ The contract whose last anchor this one goes on from, or zero.
     */
    constructor(address authority, address operator_, ICheckpointAnchor predecessor_) AccessManaged(authority) {
        predecessor = predecessor_;
        if (address(predecessor_) != address(0)) (_size, _root) = predecessor_.latest();
        _setOperator(operator_);
    }

    /// @inheritdoc ICheckpointAnchor
    function anchor(uint64 size, bytes32 root, bytes32 noteHash, bytes32[] calldata proof) external {
        address operator_ = _operator;
        uint64 anchored = _size;
        if (msg.sender != operator_) revert AnchorNotOperator(msg.sender, operator_);
        if (size <= anchored) revert AnchorNotLarger(size, anchored);
        if (anchored == 0) {
            if (proof.length != 0) revert AnchorProofNotNeeded(proof.length);
        } else {
            bytes32 before = _root;
            if (!RFC6962.isConsistent(anchored, size, proof, before, root)) {
                revert AnchorInconsistent(anchored, size, before, root);
            }
        }
        _size = size;
        _root = root;
        emit CheckpointAnchored(size, root, noteHash);
    }

    /// @inheritdoc ICheckpointAnchor
    function rotateLogKey(bytes32 oldKeyHash, bytes32 newKeyHash) external {
        if (msg.sender != _operator) revert AnchorNotOperator(msg.sender, _operator);
        if (oldKeyHash == newKeyHash || oldKeyHash == 0 || newKeyHash == 0) {
            revert AnchorLogKeyUnchanged(oldKeyHash, newKeyHash);
        }
        bytes32 current = _logKeyHash;
        if (current != 0 && current != oldKeyHash) revert AnchorLogKeyOther(oldKeyHash, current);
        _logKeyHash = newKeyHash;
        emit LogKeyRotated(oldKeyHash, newKeyHash, _size);
    }

    /// @inheritdoc ICheckpointAnchor
    function setOperator(address newOperator) external restricted {
        _setOperator(newOperator);
    }

    /// @inheritdoc ICheckpointAnchor
    function latest() external view returns (uint64 size, bytes32 root) {
        return (_size, _root);
    }

    /// @inheritdoc ICheckpointAnchor
    function includes(bytes32 leaf, uint64 index, bytes32[] calldata proof) external view returns (bool) {
        return RFC6962.isIncluded(leaf, index, _size, proof, _root);
    }

    /// @inheritdoc ICheckpointAnchor
    function logKeyHash() external view returns (bytes32) {
        return _logKeyHash;
    }

    /// @inheritdoc ICheckpointAnchor
    function operator() external view returns (address) {
        return _operator;
    }

    function _setOperator(address newOperator) private {
        if (newOperator == address(0)) revert AnchorOperatorMissing();
        address oldOperator = _operator;
        _operator = newOperator;
        emit OperatorChanged(oldOperator, newOperator);
    }
}
