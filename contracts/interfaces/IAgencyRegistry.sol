// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";

/// @title Why a key may not act for a post
/// @dev Some names are also events' names, so the registry uses these errors without inheriting them.
interface IPostAuthorityErrors {
    /// @notice The post does not exist or was retired at `retiredAt` (0: it was never registered).
    error PostRetired(bytes32 post, uint64 retiredAt);

    /// @notice The key does not speak for the post now.
    error UnauthorisedSigner(bytes32 post, address signer);

    /// @notice The post's agency is suspended.
    error AgencySuspended(bytes32 agency);

    /// @notice The post holds none of the roles that the act needs, or its agency lost the capacity for them.
    error MissingRole(bytes32 post, uint32 roles, uint32 anyOfRoles);
}

/// @title Agencies, their posts, and the keys that speak for posts
/// @notice A registrar admits agencies; from then on only an agency's root key says who may act for it.
interface IAgencyRegistry is IRunningHeads {
    /// @notice Checks that a key may act for a post now in at least one of the roles.
    /// @dev Reverts with `IPostAuthorityErrors`, in the order: PostRetired, UnauthorisedSigner, AgencySuspended,
    /// MissingRole. The caller has checked the key's signature.
    /// @param post The post that acts.
    /// @param signer The key that signed.
    /// @param anyOfRoles Role bits, one of which the post must hold.
    /// @return agency The post's agency.
    /// @return number The agency's number in the order of admission, from 1.
    /// @return roles All the roles that count for the post now.
    function authorise(
        bytes32 post,
        address signer,
        uint32 anyOfRoles
    ) external view returns (bytes32 agency, uint32 number, uint32 roles);
}
