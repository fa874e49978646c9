// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RFC6962} from "contracts/libraries/RFC6962.sol";

/**
 * @title BulkVerifier
 * @notice Puts many questions to the library that `CheckpointAnchor` verifies with, in one call.
 * @dev Its whole calldata are questions, one after another: kind (0 inclusion, 1 consistency), two sizes of 8 bytes, the
 * number of hashes in two bytes, two hashes, then the proof's hashes. The answer has a byte, 1 or 0, for each.
 */
contract BulkVerifier {
    uint256 private constant HEAD = 83;

    fallback(bytes calldata questions) external returns (bytes memory) {
        bytes memory answers = new bytes(questions.length / HEAD);
        uint256 count = 0;
        uint256 place = 0;
        while (place < questions.length) {
            bytes calldata head = questions[place:place + HEAD];
            uint64 first = uint64(bytes8(head[1:9]));
            uint64 second = uint64(bytes8(head[9:17]));
            uint256 length = uint16(bytes2(head[17:19]));
            bytes32[] calldata proof;
            uint256 begin = place + HEAD;
            require(begin + length * 32 <= questions.length, "cut off");
            // The hashes stand in the calldata as an array's elements would, so the array is only pointed at them.
            assembly ("memory-safe") {
                proof.offset := add(questions.offset, begin)
                proof.length := length
            }
            bytes32 left = bytes32(head[19:51]);
            bytes32 right = bytes32(head[51:83]);
            bool holds = head[0] == 0
                ? RFC6962.isIncluded(left, first, second, proof, right)
                : RFC6962.isConsistent(first, second, proof, left, right);
            answers[count] = holds ? bytes1(uint8(1)) : bytes1(0);
            count++;
            place = begin + length * 32;
        }
        assembly ("memory-safe") {
            mstore(answers, count)
        }
        return answers;
    }
}
