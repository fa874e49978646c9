// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/**
 * @title RFC6962
 * @notice Checks proofs of RFC 6962 Merkle trees: RFC 9162 §2.1.3.2 (inclusion) and §2.1.4.2 (consistency).
 * @dev Pure decisions over what the caller passes; SHA-256 comes from the precompile at address 2. A proof is hostile
 * input: each hash is used at most once, and a proof longer or shorter than the two numbers demand is refused.
 */
library RFC6962 {
    /// @notice The precompile at address 2 gave no hash: out of gas, or a chain without it.
    error RFC6962HashUnavailable();

    /**
     * @notice Says whether a leaf is at `index` in the tree of `size` leaves with this root.
     * @param leaf The leaf's hash, SHA-256(0x00 ‖ leaf).
     * @param index The leaf's place, from 0.
     * @param size The tree's number of leaves.
     * @param proof The audit path, from the leaf upwards.
     * @param root The tree's root.
     */
    function isIncluded(
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata proof,
        bytes32 root
    ) internal view returns (bool) {
        if (index >= size) return false;
        uint256 node = index;
        uint256 last = size - 1;
        bytes32 hash = leaf;
        for (uint256 i = 0; i < proof.length; i++) {
            if (last == 0) return false;
            if (node & 1 == 1 || node == last) {
                hash = hashNode(proof[i], hash);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = hashNode(hash, proof[i]);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && hash == root;
    }

    /**
     * @notice Says whether the tree of `size1` leaves is a prefix of the tree of `size2` leaves.
     * @dev Size 0 is refused: every tree extends the empty one, so such a proof shows nothing.
     * @param size1 The older tree's number of leaves.
     * @param size2 The newer tree's number of leaves.
     * @param proof The consistency proof.
     * @param root1 The older tree's root.
     * @param root2 The newer tree's root.
     */
    function isConsistent(
        uint256 size1,
        uint256 size2,
        bytes32[] calldata proof,
        bytes32 root1,
        bytes32 root2
    ) internal view returns (bool) {
        if (size1 == 0 || size1 > size2) return false;
        if (size1 == size2) return proof.length == 0 && root1 == root2;
        uint256 node = size1 - 1;
        uint256 last = size2 - 1;
        while (node & 1 == 1) {
            node >>= 1;
            last >>= 1;
        }
        // A perfect older tree is a node of the newer one, and its root is not repeated in the proof.
        uint256 next = 0;
        bytes32 older = root1;
        if (node != 0) {
            if (proof.length == 0) return false;
            older = proof[0];
            next = 1;
        }
        bytes32 newer = older;
        for (; next < proof.length; next++) {
            if (last == 0) return false;
            bytes32 hash = proof[next];
            if (node & 1 == 1 || node == last) {
                older = hashNode(hash, older);
                newer = hashNode(hash, newer);
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                newer = hashNode(newer, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        return last == 0 && older == root1 && newer == root2;
    }

    /**
     * @notice Returns the hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
     */
    function hashNode(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
        bool done;
        // The 65 bytes stand at the free memory pointer, which is not moved, since they are not needed afterwards: a
        // write at 0 would reach over the pointer itself at 0x40. The hash comes to the scratch word at 0.
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore8(free, 1)
            mstore(add(free, 1), left)
            mstore(add(free, 33), right)
            // The arguments are evaluated from the right: the call comes before its length is looked at.
            done := and(eq(returndatasize(), 32), staticcall(gas(), 2, free, 65, 0, 32))
            hash := mload(0)
        }
        if (!done) revert RFC6962HashUnavailable();
    }

    /**
     * @notice Returns the hash of a leaf: SHA-256(0x00 ‖ leaf).
     */
    function hashLeaf(bytes calldata leaf) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0), leaf));
    }
}
