// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {CheckpointAnchor} from "./CheckpointAnchor.sol";
import {ICheckpointAnchor} from "./interfaces/ICheckpointAnchor.sol";
import {ReferenceTree} from "./test/ReferenceTree.sol";
import {VM, Vm} from "./test/Vm.sol";

contract CheckpointAnchorTest is ReferenceTree {
    address private constant OPERATOR = address(0x0b);
    address private constant STRANGER = address(0x5f);
    bytes32 private constant NOTE = keccak256("note");

    AccessManager private manager;
    CheckpointAnchor private anchored;
    bytes32[] private leaves;

    function setUp() public {
        manager = new AccessManager(address(this));
        anchored = new CheckpointAnchor(address(manager), OPERATOR, ICheckpointAnchor(address(0)));
        bytes32[] memory made = _leaves(40, 3);
        for (uint256 i = 0; i < made.length; i++) leaves.push(made[i]);
    }

    function test_anchor_recordsSizeAndRootAndEmitsTheNote() public {
        VM.recordLogs();
        _anchor(7, new bytes32[](0));
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics.length == 2, "one event");
        require(logs[0].topics[0] == ICheckpointAnchor.CheckpointAnchored.selector, "event");
        require(logs[0].topics[1] == bytes32(uint256(7)), "size");
        require(keccak256(logs[0].data) == keccak256(abi.encode(_root(leaves, 0, 7), NOTE)), "root and note");
        _checkLatest(7);
    }

    function test_anchor_keepsOperatorAndSizeInOneSlot() public {
        _anchor(7, new bytes32[](0));
        bytes32 slot = VM.load(address(anchored), bytes32(uint256(1)));
        require(uint256(slot) == (uint256(7) << 160) | uint160(OPERATOR), "packed");
        require(VM.load(address(anchored), bytes32(uint256(2))) == _root(leaves, 0, 7), "root");
    }

    function test_anchor_failsIfTheSenderIsNotTheOperator() public {
        bytes32 root = _root(leaves, 0, 7);
        VM.prank(STRANGER);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorNotOperator.selector, STRANGER, OPERATOR));
        anchored.anchor(7, root, NOTE, new bytes32[](0));
    }

    function test_anchor_failsIfTheTreeIsNotLarger() public {
        _anchor(7, new bytes32[](0));
        for (uint64 size = 0; size <= 7; size++) {
            VM.prank(OPERATOR);
            VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorNotLarger.selector, size, 7));
            anchored.anchor(size, keccak256("root"), NOTE, new bytes32[](0));
        }
    }

    function test_anchor_failsIfTheFirstIsOfTheEmptyTree() public {
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorNotLarger.selector, 0, 0));
        anchored.anchor(0, keccak256("root"), NOTE, new bytes32[](0));
    }

    function test_anchor_failsIfTheFirstBringsAProof() public {
        bytes32 root = _root(leaves, 0, 7);
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorProofNotNeeded.selector, 2));
        anchored.anchor(7, root, NOTE, new bytes32[](2));
    }

    function test_anchor_failsIfTheLogWasRewritten() public {
        _anchor(7, new bytes32[](0));
        bytes32 before = _root(leaves, 0, 7);
        leaves[3] = ~leaves[3];
        bytes32 root = _root(leaves, 0, 20);
        bytes32[] memory proof = _consistency(leaves, 7, 20);
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorInconsistent.selector, 7, 20, before, root));
        anchored.anchor(20, root, NOTE, proof);
        require(_size() == 7, "unchanged");
    }

    function testFuzz_anchor_growsAsLongAsEachTreeExtendsTheLast(uint8[5] calldata steps) public {
        uint64 size = 0;
        for (uint256 i = 0; i < steps.length; i++) {
            uint64 next = size + 1 + (steps[i] % 7);
            _anchor(next, size == 0 ? new bytes32[](0) : _consistency(leaves, size, next));
            _checkLatest(next);
            size = next;
        }
    }

    function test_includes_asksTheLastAnchorAlone() public {
        require(!anchored.includes(leaves[0], 0, new bytes32[](0)), "nothing yet");
        _anchor(20, new bytes32[](0));
        bytes32[] memory path = _path(leaves, 4, 0, 20);
        require(anchored.includes(leaves[4], 4, path), "included");
        require(!anchored.includes(leaves[5], 4, path), "another leaf");
        _anchor(21, _consistency(leaves, 20, 21));
        require(!anchored.includes(leaves[4], 4, path), "an older path");
    }

    function test_setOperator_changesWhoAnchors() public {
        VM.recordLogs();
        anchored.setOperator(STRANGER);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs[0].topics[0] == ICheckpointAnchor.OperatorChanged.selector, "event");
        require(address(uint160(uint256(logs[0].topics[1]))) == OPERATOR, "old");
        require(address(uint160(uint256(logs[0].topics[2]))) == STRANGER, "new");
        require(anchored.operator() == STRANGER, "operator");
        VM.prank(OPERATOR);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorNotOperator.selector, OPERATOR, STRANGER));
        anchored.anchor(7, keccak256("root"), NOTE, new bytes32[](0));
    }

    function test_setOperator_failsIfTheSenderIsNotTheAdmin() public {
        address[2] memory senders = [OPERATOR, STRANGER];
        for (uint256 i = 0; i < senders.length; i++) {
            VM.prank(senders[i]);
            VM.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, senders[i]));
            anchored.setOperator(STRANGER);
        }
    }

    function test_setOperator_failsIfNobodyCouldAnchor() public {
        VM.expectRevert(abi.encodePacked(ICheckpointAnchor.AnchorOperatorMissing.selector));
        anchored.setOperator(address(0));
    }

    function test_rotateLogKey_recordsEachKeyAfterTheOneBefore() public {
        _anchor(7, new bytes32[](0));
        VM.recordLogs();
        VM.prank(OPERATOR);
        anchored.rotateLogKey("one", "two");
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs[0].topics[0] == ICheckpointAnchor.LogKeyRotated.selector, "event");
        require(logs[0].topics[1] == "one" && logs[0].topics[2] == "two", "keys");
        require(abi.decode(logs[0].data, (uint64)) == 7, "size");
        VM.prank(OPERATOR);
        VM.expectRevert(
            abi.encodeWithSelector(ICheckpointAnchor.AnchorLogKeyOther.selector, bytes32("one"), bytes32("two"))
        );
        anchored.rotateLogKey("one", "three");
        VM.prank(OPERATOR);
        anchored.rotateLogKey("two", "three");
        require(anchored.logKeyHash() == "three", "key");
        _checkLatest(7);
    }

    function test_rotateLogKey_failsIfNoKeyFollowsAnother() public {
        bytes32[2][3] memory pairs = [[bytes32("one"), "one"], [bytes32(0), "one"], [bytes32("one"), 0]];
        for (uint256 i = 0; i < pairs.length; i++) {
            VM.prank(OPERATOR);
            VM.expectRevert(
                abi.encodeWithSelector(ICheckpointAnchor.AnchorLogKeyUnchanged.selector, pairs[i][0], pairs[i][1])
            );
            anchored.rotateLogKey(pairs[i][0], pairs[i][1]);
        }
    }

    function test_rotateLogKey_failsIfTheSenderIsNotTheOperator() public {
        VM.prank(STRANGER);
        VM.expectRevert(abi.encodeWithSelector(ICheckpointAnchor.AnchorNotOperator.selector, STRANGER, OPERATOR));
        anchored.rotateLogKey("one", "two");
    }

    function test_constructor_goesOnFromThePredecessorsLastAnchor() public {
        _anchor(7, new bytes32[](0));
        ICheckpointAnchor before = anchored;
        anchored = new CheckpointAnchor(address(manager), OPERATOR, before);
        require(anchored.predecessor() == before, "predecessor");
        _checkLatest(7);
        _anchor(9, _consistency(leaves, 7, 9));
        _checkLatest(9);
    }

    function _anchor(uint64 size, bytes32[] memory proof) private {
        bytes32 root = _root(leaves, 0, size);
        VM.prank(OPERATOR);
        anchored.anchor(size, root, NOTE, proof);
    }

    function _checkLatest(uint64 expected) private view {
        (uint64 size, bytes32 root) = anchored.latest();
        require(size == expected && root == _root(leaves, 0, expected), "latest");
    }

    function _size() private view returns (uint64 size) {
        (size, ) = anchored.latest();
    }
}
