// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {NoncesKeyed} from "@openzeppelin/contracts/utils/NoncesKeyed.sol";
import {ISignedRequests} from "../interfaces/ISignedRequests.sol";

/// @title Requests that a key signs and anyone may relay
/// @notice A request counts once (keyed nonce of its signer), until its deadline, in this contract on this chain.
abstract contract SignedRequests is ISignedRequests, EIP712, NoncesKeyed {
    constructor() EIP712("Quanze", "1") {}

    /// @dev Checks deadline and signature and uses up the nonce; the signer's right to act is the caller's to check.
    function _consume(
        address signer,
        bytes32 structHash,
        uint256 nonce,
        uint64 deadline,
        bytes calldata signature
    ) internal returns (bytes32 digest) {
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        digest = _hashTypedDataV4(structHash);
        _checkSignature(signer, digest, signature);
        _useCheckedNonce(signer, nonce);
    }

    /// @dev A contract account is asked (EIP-1271), another account's signature is recovered.
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) internal view {
        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature)) revert InvalidSignature(signer, digest);
    }
}
