// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What every contract that takes signed requests may refuse
/// @dev A nonce that was used is OpenZeppelin's `InvalidAccountNonce(signer, next)`; nonces are `key << 64 | number`.
interface ISignedRequests {
    /// @notice The request's deadline has passed.
    error SignatureExpired(uint64 deadline, uint256 time);

    /// @notice The signature is not `signer`'s over `digest`.
    error InvalidSignature(address signer, bytes32 digest);

    /// @notice A value that must be stated is zero.
    error ZeroValue(string field);

    /// @notice A number that is not in the code list.
    error UnknownCode(string field, uint256 value, uint256 largest);
}
