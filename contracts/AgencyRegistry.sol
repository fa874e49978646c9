// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {RunningHeads} from "./base/RunningHeads.sol";
import {SignedRequests} from "./base/SignedRequests.sol";
import {IAgencyRegistry, IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title Agencies, their posts, and the keys that speak for posts
contract AgencyRegistry is RunningHeads, SignedRequests, AccessManaged, IAgencyRegistry {
    struct Interval {
        uint64 validFrom;
        uint64 validTo;
    }

    bytes32 public constant ADMIT_AGENCY_TYPEHASH = keccak256(
        "AdmitAgency(bytes32 agency,bytes32 scheme,address rootKey,uint32 capacities,bytes32 profile,"
        "uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant CANCEL_ROOT_REPLACEMENT_TYPEHASH = keccak256(
        "CancelRootReplacement(bytes32 agency,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant REGISTER_POST_TYPEHASH = keccak256(
        "RegisterPost(bytes32 agency,bytes32 code,uint32 roles,bytes32 profile,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant SET_POST_ROLES_TYPEHASH = keccak256(
        "SetPostRoles(bytes32 agency,bytes32 post,uint32 roles,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant RETIRE_POST_TYPEHASH = keccak256(
        "RetirePost(bytes32 agency,bytes32 post,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant BIND_KEY_TYPEHASH = keccak256(
        "BindKey(bytes32 agency,bytes32 post,address key,uint64 validFrom,uint64 validTo,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant ROTATE_KEY_TYPEHASH = keccak256(
        "RotateKey(bytes32 agency,bytes32 post,address oldKey,address newKey,uint64 validTo,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant RETIRE_KEY_TYPEHASH = keccak256(
        "RetireKey(bytes32 agency,bytes32 post,address key,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant ROTATE_ROOT_TYPEHASH = keccak256(
        "RotateRoot(bytes32 agency,address newRoot,uint256 nonce,uint64 deadline)"
    );

    /// @notice How long the present root key has to stop a replacement that it did not ask for.
    uint64 public constant ROOT_REPLACEMENT_DELAY = 7 days;

    uint64 private constant OPEN_END = type(uint64).max;

    mapping(bytes32 agency => Agency known) private _agencies;
    mapping(bytes32 post => Post known) private _posts;
    mapping(bytes32 post => mapping(address key => Interval bound)) private _keys;
    mapping(address key => bytes32 post) private _lastPost;
    mapping(uint32 number => bytes32 agency) private _byNumber;
    uint32 private _agencyCount;

    constructor(address accessManager) AccessManaged(accessManager) {}

    // The registrar

    /// @inheritdoc IAgencyRegistry
    function admitAgency(AdmitAgency calldata request, bytes calldata possession) external restricted {
        if (request.agency == 0) revert ZeroValue("agency");
        if (request.scheme == 0) revert ZeroValue("scheme");
        if (request.rootKey == address(0)) revert ZeroValue("rootKey");
        _checkKnownRoles(request.capacities);
        if (_agencies[request.agency].number != 0) revert AgencyKnown(request.agency);
        bytes32 owner = _posts[request.agency].agency;
        if (owner != 0) revert PostKnown(request.agency, owner);
        bytes32 structHash = keccak256(abi.encode(ADMIT_AGENCY_TYPEHASH, request));
        _consume(request.rootKey, structHash, request.nonce, request.deadline, possession);

        uint32 number = ++_agencyCount;
        _byNumber[number] = request.agency;
        Agency storage agency = _agencies[request.agency];
        agency.rootKey = request.rootKey;
        agency.capacities = request.capacities;
        agency.number = number;
        bytes memory log = abi.encode(
            AgencyAdmitted.selector,
            request.agency,
            request.scheme,
            request.rootKey,
            request.capacities,
            request.profile
        );
        _record(request.agency, 2, log);
    }

    /// @inheritdoc IAgencyRegistry
    function setCapacities(bytes32 agency, uint32 capacities) external restricted {
        _checkKnownRoles(capacities);
        _known(agency).capacities = capacities;
        _record(agency, 2, abi.encode(AgencyCapacitiesSet.selector, agency, capacities));
    }

    /// @inheritdoc IAgencyRegistry
    function suspendAgency(bytes32 agency, bytes32 reason) external restricted {
        Agency storage known = _known(agency);
        if (known.suspended) revert IPostAuthorityErrors.AgencySuspended(agency);
        known.suspended = true;
        _record(agency, 2, abi.encode(AgencySuspended.selector, agency, reason));
    }

    /// @inheritdoc IAgencyRegistry
    function reinstateAgency(bytes32 agency) external restricted {
        Agency storage known = _known(agency);
        if (!known.suspended) revert AgencyNotSuspended(agency);
        known.suspended = false;
        _record(agency, 2, abi.encode(AgencyReinstated.selector, agency));
    }

    /// @inheritdoc IAgencyRegistry
    function announceRootReplacement(bytes32 agency, address newRoot) external restricted {
        Agency storage known = _known(agency);
        if (newRoot == address(0)) revert ZeroValue("newRoot");
        if (newRoot == known.rootKey) revert SameRootKey(agency, newRoot);
        uint64 effectiveAt = uint64(block.timestamp) + ROOT_REPLACEMENT_DELAY;
        known.announcedRoot = newRoot;
        known.announcedRootAt = effectiveAt;
        _record(agency, 2, abi.encode(RootReplacementAnnounced.selector, agency, newRoot, effectiveAt));
    }

    /// @inheritdoc IAgencyRegistry
    function executeRootReplacement(bytes32 agency) external restricted {
        Agency storage known = _known(agency);
        (address newRoot, uint64 effectiveAt) = (known.announcedRoot, known.announcedRootAt);
        if (newRoot == address(0)) revert NoRootReplacement(agency);
        if (block.timestamp < effectiveAt) revert RootReplacementTooEarly(agency, effectiveAt, block.timestamp);
        _changeRoot(agency, known, newRoot);
    }

    /// @inheritdoc IAgencyRegistry
    function linkSuccessor(bytes32 agency, bytes32 successor, uint64 effectiveAt) external restricted {
        Agency storage known = _known(agency);
        _known(successor);
        if (successor == agency || known.successor != 0) revert SuccessionRefused(agency, known.successor, successor);
        known.successor = successor;
        known.succeededAt = effectiveAt;
        _record(agency, 2, abi.encode(AgencySucceeded.selector, agency, successor, effectiveAt));
    }

    // An agency's root key

    /// @inheritdoc IAgencyRegistry
    function cancelRootReplacementBySig(
        CancelRootReplacement calldata request,
        address signer,
        bytes calldata signature
    ) external {
        bytes32 structHash = keccak256(abi.encode(CANCEL_ROOT_REPLACEMENT_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Agency storage known = _ofRoot(request.agency, signer);
        if (known.announcedRoot == address(0)) revert NoRootReplacement(request.agency);
        delete known.announcedRoot;
        delete known.announcedRootAt;
        _record(request.agency, 2, abi.encode(RootReplacementCancelled.selector, request.agency));
    }

    /// @inheritdoc IAgencyRegistry
    function registerPostBySig(RegisterPost calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(REGISTER_POST_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Agency storage agency = _ofRoot(request.agency, signer);
        if (request.code == 0) revert ZeroValue("code");
        // Derived, so that no agency can take, or speak under, the id of another one's post.
        bytes32 id = keccak256(abi.encode(request.agency, request.code));
        Post storage post = _posts[id];
        if (post.agency != 0) revert PostKnown(id, post.agency);
        if (_agencies[id].number != 0) revert AgencyKnown(id);
        _checkRoles(request.agency, agency, request.roles);
        post.agency = request.agency;
        post.roles = request.roles;
        post.registeredAt = uint64(block.timestamp);
        bytes memory log = abi.encode(PostRegistered.selector, id, request.agency, request.roles, request.profile);
        _record(id, 3, log);
    }

    /// @inheritdoc IAgencyRegistry
    function setPostRolesBySig(SetPostRoles calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(SET_POST_ROLES_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Agency storage agency = _ofRoot(request.agency, signer);
        Post storage post = _livePost(request.post, request.agency);
        _checkRoles(request.agency, agency, request.roles);
        post.roles = request.roles;
        _record(request.post, 2, abi.encode(PostRolesSet.selector, request.post, request.roles));
    }

    /// @inheritdoc IAgencyRegistry
    function retirePostBySig(RetirePost calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(RETIRE_POST_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        _ofRoot(request.agency, signer);
        _livePost(request.post, request.agency).retiredAt = uint64(block.timestamp);
        _record(request.post, 2, abi.encode(PostRetired.selector, request.post, request.reason));
    }

    /// @inheritdoc IAgencyRegistry
    function bindKeyBySig(
        BindKey calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external {
        bytes32 structHash = keccak256(abi.encode(BIND_KEY_TYPEHASH, request));
        bytes32 digest = _consume(signer, structHash, request.nonce, request.deadline, signature);
        _checkSignature(request.key, digest, possession);
        _ofRoot(request.agency, signer);
        _livePost(request.post, request.agency);
        uint64 validFrom = request.validFrom == 0 ? uint64(block.timestamp) : request.validFrom;
        if (validFrom < block.timestamp) revert KeyBackdated(validFrom, block.timestamp);
        _checkFree(request.key, request.agency);
        _bind(request.post, request.key, validFrom, request.validTo);
    }

    /// @inheritdoc IAgencyRegistry
    function rotateKeyBySig(
        RotateKey calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external {
        bytes32 structHash = keccak256(abi.encode(ROTATE_KEY_TYPEHASH, request));
        bytes32 digest = _consume(signer, structHash, request.nonce, request.deadline, signature);
        _checkSignature(request.newKey, digest, possession);
        _ofRoot(request.agency, signer);
        _livePost(request.post, request.agency);
        _checkFree(request.newKey, request.agency);
        _retire(request.post, request.oldKey, 0);
        _bind(request.post, request.newKey, uint64(block.timestamp), request.validTo);
    }

    /// @inheritdoc IAgencyRegistry
    function retireKeyBySig(RetireKey calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(RETIRE_KEY_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        _ofRoot(request.agency, signer);
        _livePost(request.post, request.agency);
        _retire(request.post, request.key, request.reason);
    }

    /// @inheritdoc IAgencyRegistry
    function rotateRootBySig(
        RotateRoot calldata request,
        address signer,
        bytes calldata signature,
        bytes calldata possession
    ) external {
        bytes32 structHash = keccak256(abi.encode(ROTATE_ROOT_TYPEHASH, request));
        bytes32 digest = _consume(signer, structHash, request.nonce, request.deadline, signature);
        _checkSignature(request.newRoot, digest, possession);
        Agency storage agency = _ofRoot(request.agency, signer);
        if (request.newRoot == signer) revert SameRootKey(request.agency, signer);
        _changeRoot(request.agency, agency, request.newRoot);
    }

    // Reading

    /// @inheritdoc IAgencyRegistry
    function authorise(
        bytes32 post,
        address signer,
        uint32 anyOfRoles
    ) external view returns (bytes32 agency, uint32 number, uint32 roles) {
        Post storage known = _posts[post];
        agency = known.agency;
        if (agency == 0 || known.retiredAt != 0) revert IPostAuthorityErrors.PostRetired(post, known.retiredAt);
        Interval storage bound = _keys[post][signer];
        if (block.timestamp < bound.validFrom || block.timestamp >= bound.validTo) {
            revert IPostAuthorityErrors.UnauthorisedSigner(post, signer);
        }
        Agency storage owner = _agencies[agency];
        if (owner.suspended) revert IPostAuthorityErrors.AgencySuspended(agency);
        roles = known.roles & (owner.capacities | Roles.COMMON);
        if (roles & anyOfRoles == 0) revert IPostAuthorityErrors.MissingRole(post, roles, anyOfRoles);
        number = owner.number;
    }

    /// @inheritdoc IAgencyRegistry
    function numberOf(bytes32 agency) external view returns (uint32 number) {
        return _known(agency).number;
    }

    /// @inheritdoc IAgencyRegistry
    function numbersOf(bytes32[] calldata agencies) external view returns (uint32[] memory numbers) {
        numbers = new uint32[](agencies.length);
        for (uint256 i = 0; i < numbers.length; ++i) numbers[i] = _known(agencies[i]).number;
    }

    /// @inheritdoc IAgencyRegistry
    function agencyByNumber(uint32 number) external view returns (bytes32 agency) {
        return _byNumber[number];
    }

    /// @inheritdoc IAgencyRegistry
    function agencyCount() external view returns (uint32 count) {
        return _agencyCount;
    }

    /// @inheritdoc IAgencyRegistry
    function agencyOf(bytes32 agency) external view returns (Agency memory known) {
        return _agencies[agency];
    }

    /// @inheritdoc IAgencyRegistry
    function postOf(bytes32 post) external view returns (Post memory known) {
        return _posts[post];
    }

    /// @inheritdoc IAgencyRegistry
    function keyOf(bytes32 post, address key) external view returns (uint64 validFrom, uint64 validTo) {
        Interval storage bound = _keys[post][key];
        return (bound.validFrom, bound.validTo);
    }

    /// @inheritdoc IAgencyRegistry
    function lastPostOf(address key) external view returns (bytes32 post) {
        return _lastPost[key];
    }

    // Workers

    function _bind(bytes32 post, address key, uint64 validFrom, uint64 statedEnd) private {
        uint64 validTo = statedEnd == 0 ? OPEN_END : statedEnd;
        if (validTo <= validFrom) revert EmptyInterval(validFrom, validTo);
        _keys[post][key] = Interval(validFrom, validTo);
        _lastPost[key] = post;
        _record(post, 3, abi.encode(KeyBound.selector, post, key, validFrom, validTo));
    }

    function _retire(bytes32 post, address key, bytes32 reason) private {
        Interval storage bound = _keys[post][key];
        if (bound.validTo <= block.timestamp) revert KeyNotBound(post, key);
        bound.validTo = uint64(block.timestamp);
        _record(post, 3, abi.encode(KeyRetired.selector, post, key, block.timestamp, reason));
    }

    function _changeRoot(bytes32 agency, Agency storage known, address newRoot) private {
        address oldRoot = known.rootKey;
        known.rootKey = newRoot;
        delete known.announcedRoot;
        delete known.announcedRootAt;
        _record(agency, 2, abi.encode(RootKeyChanged.selector, agency, oldRoot, newRoot));
    }

    function _known(bytes32 agency) private view returns (Agency storage known) {
        known = _agencies[agency];
        if (known.number == 0) revert AgencyUnknown(agency);
    }

    function _ofRoot(bytes32 agency, address signer) private view returns (Agency storage known) {
        known = _known(agency);
        if (signer != known.rootKey) revert NotRootKey(agency, known.rootKey, signer);
    }

    function _livePost(bytes32 post, bytes32 agency) private view returns (Post storage known) {
        known = _posts[post];
        if (known.agency == 0) revert IPostAuthorityErrors.PostRetired(post, 0);
        if (known.agency != agency) revert PostOfAnotherAgency(post, known.agency, agency);
        if (known.retiredAt != 0) revert IPostAuthorityErrors.PostRetired(post, known.retiredAt);
    }

    /// @dev A key is free when its last interval is over or the post of it was retired. It never changes its agency: what
    /// two sides of an exchange said is not to come from one hand.
    function _checkFree(address key, bytes32 agency) private view {
        bytes32 post = _lastPost[key];
        if (post != 0 && _posts[post].agency != agency) revert KeyOfAnotherAgency(key, post, agency);
        uint64 validTo = _keys[post][key].validTo;
        if (validTo > block.timestamp && _posts[post].retiredAt == 0) revert KeyAlreadyBound(key, post, validTo);
    }

    function _checkKnownRoles(uint32 roles) private pure {
        if (roles & ~Roles.ALL != 0) revert UnknownRoles(roles, Roles.ALL);
    }

    function _checkRoles(bytes32 agency, Agency storage known, uint32 roles) private view {
        _checkKnownRoles(roles);
        uint32 allowed = known.capacities | Roles.COMMON;
        if (roles & ~allowed != 0) revert RolesBeyondCapacities(agency, roles, allowed);
    }
}
