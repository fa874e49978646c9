// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title An RFC 6962 tree as the standard defines it: roots, paths and proofs by recursion, slow and plain
/// @dev It shares no code with the library that it is compared with; SHA-256 is the language's own.
abstract contract ReferenceTree {
    function _leaves(uint256 count, uint256 seed) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) leaves[i] = sha256(abi.encodePacked(bytes1(0), seed, i));
    }

    /// @dev MTH(D[first:first+count]), §2.1.1.
    function _root(bytes32[] memory leaves, uint256 first, uint256 count) internal pure returns (bytes32) {
        if (count == 1) return leaves[first];
        uint256 left = _split(count);
        return _node(_root(leaves, first, left), _root(leaves, first + left, count - left));
    }

    /// @dev PATH(index, D[first:first+count]), §2.1.3.1.
    function _path(
        bytes32[] memory leaves,
        uint256 index,
        uint256 first,
        uint256 count
    ) internal pure returns (bytes32[] memory) {
        if (count == 1) return new bytes32[](0);
        uint256 left = _split(count);
        if (index < left) {
            return _append(_path(leaves, index, first, left), _root(leaves, first + left, count - left));
        }
        return _append(_path(leaves, index - left, first + left, count - left), _root(leaves, first, left));
    }

    /// @dev PROOF(size1, D[0:size2]), §2.1.4.1.
    function _consistency(
        bytes32[] memory leaves,
        uint256 size1,
        uint256 size2
    ) internal pure returns (bytes32[] memory) {
        return _subProof(leaves, size1, 0, size2, true);
    }

    function _append(bytes32[] memory list, bytes32 last) internal pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; i++) longer[i] = list[i];
        longer[list.length] = last;
    }

    function _longer(bytes32[] memory proof) internal pure returns (bytes32[] memory) {
        return _append(proof, keccak256("one more"));
    }

    function _shorter(bytes32[] memory proof) internal pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](proof.length - 1);
        for (uint256 i = 0; i < shorter.length; i++) shorter[i] = proof[i];
    }

    function _subProof(
        bytes32[] memory leaves,
        uint256 size1,
        uint256 first,
        uint256 count,
        bool isWhole
    ) private pure returns (bytes32[] memory proof) {
        if (size1 == count) {
            return isWhole ? new bytes32[](0) : _append(new bytes32[](0), _root(leaves, first, count));
        }
        uint256 left = _split(count);
        if (size1 <= left) {
            proof = _subProof(leaves, size1, first, left, isWhole);
            return _append(proof, _root(leaves, first + left, count - left));
        }
        proof = _subProof(leaves, size1 - left, first + left, count - left, false);
        return _append(proof, _root(leaves, first, left));
    }

    /// @dev The largest power of two smaller than `count`.
    function _split(uint256 count) private pure returns (uint256 left) {
        left = 1;
        while (left * 2 < count) left *= 2;
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }
}
