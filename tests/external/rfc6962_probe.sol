// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RFC6962} from "contracts/libraries/RFC6962.sol";

/// @title The library's checks as calls, for vectors that come from outside
contract RFC6962Probe {
    function isIncluded(
        bytes32 leaf,
        uint64 index,
        uint64 size,
        bytes32[] calldata proof,
        bytes32 root
    ) external view returns (bool) {
        return RFC6962.isIncluded(leaf, index, size, proof, root);
    }

    function isConsistent(
        uint64 size1,
        uint64 size2,
        bytes32[] calldata proof,
        bytes32 root1,
        bytes32 root2
    ) external view returns (bool) {
        return RFC6962.isConsistent(size1, size2, proof, root1, root2);
    }
}
