// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RFC6962} from "./libraries/RFC6962.sol";
import {ReferenceTree} from "./test/ReferenceTree.sol";
import {VM} from "./test/Vm.sol";

/// @title The proof checks against a tree that is hashed as RFC 6962 defines it, recursively
contract RFC6962Test is ReferenceTree {
    uint256 private constant LARGEST = 70;

    // As calls to itself, since proofs are calldata.

    function isIncluded(
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata proof,
        bytes32 root
    ) external view returns (bool) {
        return RFC6962.isIncluded(leaf, index, size, proof, root);
    }

    function isConsistent(
        uint256 size1,
        uint256 size2,
        bytes32[] calldata proof,
        bytes32 root1,
        bytes32 root2
    ) external view returns (bool) {
        return RFC6962.isConsistent(size1, size2, proof, root1, root2);
    }

    function hashLeaf(bytes calldata leaf) external pure returns (bytes32) {
        return RFC6962.hashLeaf(leaf);
    }

    function test_hashNode_isSha256OfOneAndBothSides() public view {
        bytes32 left = keccak256("left");
        bytes32 right = keccak256("right");
        require(RFC6962.hashNode(left, right) == sha256(abi.encodePacked(bytes1(0x01), left, right)), "node");
        require(this.hashLeaf("leaf") == sha256(abi.encodePacked(bytes1(0x00), "leaf")), "leaf");
    }

    function test_hashNode_leavesTheFreeMemoryPointerAndAllocatedMemoryAlone() public view {
        bytes memory held = abi.encodePacked(keccak256("held"), keccak256("memory"));
        uint256 before;
        uint256 afterwards;
        assembly ("memory-safe") {
            before := mload(0x40)
        }
        RFC6962.hashNode(keccak256("left"), keccak256("right"));
        assembly ("memory-safe") {
            afterwards := mload(0x40)
        }
        require(before == afterwards, "pointer");
        require(keccak256(held) == keccak256(abi.encodePacked(keccak256("held"), keccak256("memory"))), "memory");
    }

    function test_isConsistent_holdsForEverySmallPairOfSizes() public view {
        bytes32[] memory leaves = _leaves(17, 1);
        for (uint256 size2 = 1; size2 <= leaves.length; size2++) {
            for (uint256 size1 = 1; size1 <= size2; size1++) {
                bytes32[] memory proof = _consistency(leaves, size1, size2);
                bytes32 root1 = _root(leaves, 0, size1);
                bytes32 root2 = _root(leaves, 0, size2);
                require(this.isConsistent(size1, size2, proof, root1, root2), "consistent");
                require(!this.isConsistent(size1, size2, _longer(proof), root1, root2), "a hash too many");
                require(!this.isConsistent(size1, size2, proof, ~root1, root2), "another older root");
                require(!this.isConsistent(size1, size2, proof, root1, ~root2), "another newer root");
                require(
                    proof.length == 0 || !this.isConsistent(size1, size2, _shorter(proof), root1, root2),
                    "too few"
                );
            }
            require(!this.isConsistent(0, size2, new bytes32[](0), 0, _root(leaves, 0, size2)), "the empty tree");
        }
    }

    function test_isIncluded_holdsForEveryLeafOfSmallTrees() public view {
        bytes32[] memory leaves = _leaves(17, 2);
        for (uint256 size = 1; size <= leaves.length; size++) {
            bytes32 root = _root(leaves, 0, size);
            for (uint256 index = 0; index < size; index++) {
                bytes32[] memory proof = _path(leaves, index, 0, size);
                require(this.isIncluded(leaves[index], index, size, proof, root), "included");
                require(!this.isIncluded(~leaves[index], index, size, proof, root), "another leaf");
                require(!this.isIncluded(leaves[index], index, size, _longer(proof), root), "a hash too many");
                require(!this.isIncluded(leaves[index], index + size, size, proof, root), "outside");
            }
        }
    }

    function testFuzz_isConsistent_takesTheProofOfTheReferenceTree(uint256 one, uint256 two, uint256 seed) public view {
        uint256 size2 = (two % LARGEST) + 1;
        uint256 size1 = (one % size2) + 1;
        bytes32[] memory leaves = _leaves(size2, seed);
        bytes32[] memory proof = _consistency(leaves, size1, size2);
        require(this.isConsistent(size1, size2, proof, _root(leaves, 0, size1), _root(leaves, 0, size2)), "consistent");
    }

    function testFuzz_isConsistent_failsIfOneBitDiffers(uint256 one, uint256 two, uint256 bit) public view {
        uint256 size2 = (two % LARGEST) + 2;
        uint256 size1 = (one % (size2 - 1)) + 1;
        bytes32[] memory leaves = _leaves(size2, one);
        bytes32[] memory proof = _consistency(leaves, size1, size2);
        uint256 place = (bit / 256) % proof.length;
        proof[place] ^= bytes32(uint256(1) << (bit % 256));
        require(!this.isConsistent(size1, size2, proof, _root(leaves, 0, size1), _root(leaves, 0, size2)), "altered");
    }

    function testFuzz_isConsistent_failsIfTheOlderTreeWasAnother(
        uint256 one,
        uint256 two,
        uint256 changed
    ) public view {
        uint256 size2 = (two % LARGEST) + 2;
        uint256 size1 = (one % (size2 - 1)) + 1;
        bytes32[] memory leaves = _leaves(size2, one);
        bytes32[] memory proof = _consistency(leaves, size1, size2);
        bytes32 root2 = _root(leaves, 0, size2);
        leaves[changed % size1] = ~leaves[changed % size1];
        require(!this.isConsistent(size1, size2, proof, _root(leaves, 0, size1), root2), "rewritten");
    }

    function testFuzz_isIncluded_takesThePathOfTheReferenceTree(
        uint256 place,
        uint256 count,
        uint256 seed
    ) public view {
        uint256 size = (count % LARGEST) + 1;
        uint256 index = place % size;
        bytes32[] memory leaves = _leaves(size, seed);
        bytes32[] memory proof = _path(leaves, index, 0, size);
        require(this.isIncluded(leaves[index], index, size, proof, _root(leaves, 0, size)), "included");
    }

    function testFuzz_isIncluded_failsAtAnotherIndex(uint256 place, uint256 other, uint256 count) public view {
        uint256 size = (count % LARGEST) + 2;
        uint256 index = place % size;
        uint256 wrong = other % size;
        VM.assume(wrong != index);
        bytes32[] memory leaves = _leaves(size, place);
        bytes32[] memory proof = _path(leaves, index, 0, size);
        require(!this.isIncluded(leaves[index], wrong, size, proof, _root(leaves, 0, size)), "moved");
    }

    function testFuzz_isIncluded_refusesAnythingMadeUp(
        bytes32 leaf,
        uint64 index,
        uint64 size,
        bytes32[] calldata proof,
        bytes32 root
    ) public view {
        require(proof.length == 0 || !RFC6962.isIncluded(leaf, index, size, proof, root), "made up");
    }
}
