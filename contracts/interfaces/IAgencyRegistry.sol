// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/// @title Why a key may not act for a post
/// @dev Some names are also events' names, so the registry uses these errors without inheriting them.
interface IPostAuthorityErrors {
    /// @notice The post does not exist or was retired at `retiredAt` (0: it was never registered).
    error PostRetired(bytes32 post, uint64 retiredAt);

    /// @notice The key does not speak for the post now.
    error UnauthorisedSigner(bytes32 post, address signer);

    /// @notice The agency is suspended.
    error AgencySuspended(bytes32 agency);

    /// @notice The post holds none of the roles that the act needs, or its agency lost the capacity for them.
    error MissingRole(bytes32 post, uint32 roles, uint32 anyOfRoles);
}

/// @title Agencies, their posts, and the keys that speak for posts
/// @notice A registrar admits agencies; from then on only an agency's root key says who may act for it.
/// @dev Times are Unix seconds. Nothing reaches back: each change counts from its block's time. A signed function may
/// be sent by anyone; `signer` is the agency's root key, `possession` the new key's signature of the same digest.
interface IAgencyRegistry is IRunningHeads, ISignedRequests {
    /// @notice The registrar admits an agency; its root key signs, to prove possession.
    struct AdmitAgency {
        bytes32 agency;
        bytes32 scheme;
        address rootKey;
        uint32 capacities;
        bytes32 profile;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The present root key stops a replacement that the registrar announced.
    struct CancelRootReplacement {
        bytes32 agency;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key sets up a post; its id is keccak256(abi.encode(agency, code)).
    /// @param agency The agency.
    /// @param code keccak256 of the post's code within its agency.
    /// @param roles What the post may do.
    /// @param profile Commitment to the post's names.
    /// @param nonce Keyed nonce of the signer.
    /// @param deadline Last Unix second at which the signature counts.
    struct RegisterPost {
        bytes32 agency;
        bytes32 code;
        uint32 roles;
        bytes32 profile;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key changes what a post may do.
    struct SetPostRoles {
        bytes32 agency;
        bytes32 post;
        uint32 roles;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key ends a post.
    struct RetirePost {
        bytes32 agency;
        bytes32 post;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key, and the key itself, bind the key to a post for [validFrom, validTo).
    /// @dev `validFrom` 0 is the block's time, `validTo` 0 is open-ended.
    struct BindKey {
        bytes32 agency;
        bytes32 post;
        address key;
        uint64 validFrom;
        uint64 validTo;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key, and the new key, replace a post's key at the block's time.
    struct RotateKey {
        bytes32 agency;
        bytes32 post;
        address oldKey;
        address newKey;
        uint64 validTo;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key ends a key.
    struct RetireKey {
        bytes32 agency;
        bytes32 post;
        address key;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency's root key, and the new one, replace the root key.
    struct RotateRoot {
        bytes32 agency;
        address newRoot;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice An agency as it stands now; `number` counts from 1 in the order of admission.
    struct Agency {
        address rootKey;
        uint32 capacities;
        uint32 number;
        bool suspended;
        address announcedRoot;
        uint64 announcedRootAt;
        bytes32 successor;
        uint64 succeededAt;
    }

    /// @notice A post as it stands now; `retiredAt` 0 while it is live.
    struct Post {
        bytes32 agency;
        uint32 roles;
        uint64 registeredAt;
        uint64 retiredAt;
    }

    /// @notice The registrar admitted an agency with its root key.
    event AgencyAdmitted(bytes32 indexed agency, bytes32 scheme, address rootKey, uint32 capacities, bytes32 profile);

    /// @notice The registrar changed which roles an agency's posts may hold.
    event AgencyCapacitiesSet(bytes32 indexed agency, uint32 capacities);

    /// @notice The registrar suspended an agency: none of its posts may act.
    event AgencySuspended(bytes32 indexed agency, bytes32 reason);

    /// @notice The registrar let a suspended agency act again.
    event AgencyReinstated(bytes32 indexed agency);

    /// @notice The registrar announced a new root key; it takes effect no earlier than `effectiveAt`.
    event RootReplacementAnnounced(bytes32 indexed agency, address newRoot, uint64 effectiveAt);

    /// @notice An announced root key will not take effect.
    event RootReplacementCancelled(bytes32 indexed agency);

    /// @notice An agency has another root key.
    event RootKeyChanged(bytes32 indexed agency, address oldRoot, address newRoot);

    /// @notice Another agency takes the place of this one.
    event AgencySucceeded(bytes32 indexed agency, bytes32 successor, uint64 effectiveAt);

    /// @notice An agency set up a post.
    event PostRegistered(bytes32 indexed post, bytes32 indexed agency, uint32 roles, bytes32 profile);

    /// @notice An agency changed what a post may do.
    event PostRolesSet(bytes32 indexed post, uint32 roles);

    /// @notice An agency ended a post.
    event PostRetired(bytes32 indexed post, bytes32 reason);

    /// @notice A key speaks for a post in [validFrom, validTo).
    event KeyBound(bytes32 indexed post, address indexed key, uint64 validFrom, uint64 validTo);

    /// @notice A key stopped speaking for its post. `reason` is 0 in a rotation.
    event KeyRetired(bytes32 indexed post, address indexed key, uint64 at, bytes32 reason);

    /// @notice An agency with this id is admitted already.
    error AgencyKnown(bytes32 agency);

    /// @notice No such agency is admitted.
    error AgencyUnknown(bytes32 agency);

    /// @notice The agency is not suspended.
    error AgencyNotSuspended(bytes32 agency);

    /// @notice The signer is not the agency's root key.
    error NotRootKey(bytes32 agency, address rootKey, address signer);

    /// @notice Bits that are no role.
    error UnknownRoles(uint32 roles, uint32 allRoles);

    /// @notice Roles that posts of this agency may not hold.
    error RolesBeyondCapacities(bytes32 agency, uint32 roles, uint32 allowed);

    /// @notice The post is registered already; a post's id is never used again.
    error PostKnown(bytes32 post, bytes32 agency);

    /// @notice The post is another agency's.
    error PostOfAnotherAgency(bytes32 post, bytes32 owner, bytes32 agency);

    /// @notice The key speaks, or will speak, for a live post until `validTo`.
    error KeyAlreadyBound(address key, bytes32 post, uint64 validTo);

    /// @notice The key spoke for another agency's post before.
    error KeyOfAnotherAgency(address key, bytes32 post, bytes32 agency);

    /// @notice The key is not bound to the post, or its time is over.
    error KeyNotBound(bytes32 post, address key);

    /// @notice A key is never bound into the past.
    error KeyBackdated(uint64 validFrom, uint256 time);

    /// @notice An interval that ends before it begins.
    error EmptyInterval(uint64 validFrom, uint64 validTo);

    /// @notice The key is the agency's root key already.
    error SameRootKey(bytes32 agency, address rootKey);

    /// @notice No new root key is announced.
    error NoRootReplacement(bytes32 agency);

    /// @notice The announced root key may not take effect yet.
    error RootReplacementTooEarly(bytes32 agency, uint64 effectiveAt, uint256 time);

    /// @notice An agency does not succeed itself, and a succession is recorded once.
    error SuccessionRefused(bytes32 agency, bytes32 present, bytes32 successor);

    /// @notice Admits an agency under its own root key. Registrar only.
    /// @param request What the root key signed.
    /// @param possession The root key's signature.
    function admitAgency(AdmitAgency calldata request, bytes calldata possession) external;

    /// @notice Sets which roles, beyond the common ones, count for an agency's posts. Registrar only.
    /// @param agency The agency.
    /// @param capacities Role bits; a post's role that is in neither stops counting at once.
    function setCapacities(bytes32 agency, uint32 capacities) external;

    /// @notice Stops all posts of an agency from acting; its root key may still rotate and retire keys. Registrar only.
    /// @param agency The agency.
    /// @param reason The hash of a reason code, or a commitment to a private text.
    function suspendAgency(bytes32 agency, bytes32 reason) external;

    /// @notice Lets a suspended agency act again. Registrar only.
    /// @param agency The agency.
    function reinstateAgency(bytes32 agency) external;

    /// @notice Announces another root key for an agency that lost its own. Registrar only.
    /// @dev The present root key can cancel it for `ROOT_REPLACEMENT_DELAY`. Announcing again starts the delay anew.
    /// @param agency The agency.
    /// @param newRoot The key that shall replace the lost one.
    function announceRootReplacement(bytes32 agency, address newRoot) external;

    /// @notice Puts an announced root key into effect after the delay. Registrar only.
    /// @param agency The agency.
    function executeRootReplacement(bytes32 agency) external;

    /// @notice Records that another agency takes the place of this one; nobody's past responsibility moves. Registrar only.
    /// @param agency The agency that ends, by merger or renaming.
    /// @param successor An admitted agency.
    /// @param effectiveAt From when, as the order says; it may lie in the past.
    function linkSuccessor(bytes32 agency, bytes32 successor, uint64 effectiveAt) external;

    /// @notice Stops an announced replacement. Also done by rotating the root key.
    function cancelRootReplacementBySig(
        CancelRootReplacement calldata request,
        address signer,
        bytes calldata signature
    ) external;

    /// @notice Sets up a post; its id is never used again.
    function registerPostBySig(RegisterPost calldata request, address signer, bytes calldata signature) external;

    /// @notice Changes what a post may do.
    function setPostRolesBySig(SetPostRoles calldata request, address signer, bytes calldata signature) external;

    /// @notice Ends a post and with it the right of all its keys.
    function retirePostBySig(RetirePost calldata request, address signer, bytes calldata signature) external;

    /// @notice Binds a key to a post. A key speaks for one live post at a time.
    function bindKeyBySig(
        BindKey calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external;

    /// @notice Ends a post's key and binds another in its place, both at the block's time.
    function rotateKeyBySig(
        RotateKey calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external;

    /// @notice Ends a key at the block's time.
    function retireKeyBySig(RetireKey calldata request, address signer, bytes calldata signature) external;

    /// @notice Replaces the root key; an announced replacement lapses.
    function rotateRootBySig(
        RotateRoot calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external;

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

    /// @notice The agency's number in the order of admission, from 1; reverts with AgencyUnknown.
    function numberOf(bytes32 agency) external view returns (uint32 number);

    /// @notice The numbers of agencies; reverts with AgencyUnknown, naming the first that is not admitted.
    function numbersOf(bytes32[] calldata agencies) external view returns (uint32[] memory numbers);

    /// @notice The agency with this number; 0 if there is none.
    function agencyByNumber(uint32 number) external view returns (bytes32 agency);

    /// @notice How many agencies were admitted.
    function agencyCount() external view returns (uint32 count);

    /// @notice An agency as it stands now; all zero if it is unknown.
    function agencyOf(bytes32 agency) external view returns (Agency memory known);

    /// @notice A post as it stands now; all zero if it is unknown.
    function postOf(bytes32 post) external view returns (Post memory known);

    /// @notice The last interval in which a key was bound to a post; both 0 if it never was.
    function keyOf(bytes32 post, address key) external view returns (uint64 validFrom, uint64 validTo);

    /// @notice The post that a key was last bound to; 0 if it never was.
    function lastPostOf(address key) external view returns (bytes32 post);
}
