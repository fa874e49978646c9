// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RunningHeads} from "./base/RunningHeads.sol";
import {SignedRequests} from "./base/SignedRequests.sol";
import {IAgencyRegistry} from "./interfaces/IAgencyRegistry.sol";
import {IAgreementParties} from "./interfaces/IAgreementParties.sol";
import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {IResponsibilityLedger} from "./interfaces/IResponsibilityLedger.sol";
import {Duties} from "./libraries/Duties.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title ResponsibilityLedger
/// @notice See `IResponsibilityLedger`.
contract ResponsibilityLedger is RunningHeads, SignedRequests, IResponsibilityLedger {
    bytes32 public constant ASSIGN_TYPEHASH = keccak256(
        "Assign(bytes32 post,bytes32 assignment,uint8 duty,uint8 objectKind,bytes32 object,bytes32 assignee,uint8 role,"
        "uint16 shareBps,uint64 validFrom,uint64 validTo,bytes32 basis,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant ACCEPT_TYPEHASH = keccak256(
        "Accept(bytes32 post,bytes32 assignment,bytes32 content,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant HAND_OVER_TYPEHASH = keccak256(
        "HandOver(bytes32 post,bytes32 assignment,bytes32 successorAssignment,bytes32 toPost,uint64 at,bytes32 basis,"
        "uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant VACATE_TYPEHASH = keccak256(
        "Vacate(bytes32 post,bytes32 assignment,uint64 at,bytes32 reason,uint256 nonce,uint64 deadline)"
    );

    /// @notice How many LEADs and shares may ever be accepted for one duty about one object: each acceptance looks at them
    /// all, within the gas that a transaction may have.
    uint256 public constant ACCEPTED_MAX = 128;

    /// @notice How many of them may be of one agency's assigning, so that no party can use up another's.
    uint256 public constant ACCEPTED_OF_AGENCY_MAX = 32;

    IAgencyRegistry public immutable registry;
    ICatalogue public immutable catalogue;
    IAgreementParties public immutable agreements;

    mapping(bytes32 assignment => Assignment) private _assignments;
    mapping(bytes32 dutyKey => bytes32[] accepted) private _accepted;
    mapping(bytes32 dutyKey => mapping(uint32 agency => uint256 count)) private _acceptedOfAgency;
    mapping(bytes32 object => uint8 objectKind) private _kinds;

    constructor(IAgencyRegistry registry_, ICatalogue catalogue_, IAgreementParties agreements_) {
        registry = registry_;
        catalogue = catalogue_;
        agreements = agreements_;
    }

    /// @inheritdoc IResponsibilityLedger
    function assignBySig(Assign calldata request, address signer, bytes calldata signature) external {
        bytes32 hash = keccak256(abi.encode(ASSIGN_TYPEHASH, request));
        _consume(signer, hash, request.nonce, request.deadline, signature);
        Duties.check(request);
        uint32 byAgency = _checkMayAssign(request.post, signer, request.objectKind, request.object, request.assignee);
        _claimKind(request.object, request.objectKind);
        _propose(
            request.assignment,
            Assignment({
                object: request.object,
                assignee: request.assignee,
                validFrom: request.validFrom,
                validTo: request.validTo == 0 ? Duties.OPEN_END : request.validTo,
                shareBps: request.shareBps,
                duty: request.duty,
                objectKind: request.objectKind,
                role: request.role,
                status: AssignmentStatus.PROPOSED,
                byAgency: byAgency,
                content: 0
            }),
            request.post,
            request.validTo,
            request.basis,
            0
        );
    }

    /// @inheritdoc IResponsibilityLedger
    function acceptBySig(Accept calldata request, address signer, bytes calldata signature) external {
        bytes32 hash = keccak256(abi.encode(ACCEPT_TYPEHASH, request));
        _consume(signer, hash, request.nonce, request.deadline, signature);
        registry.authorise(request.post, signer, Roles.ALL);
        bytes32 assignment = request.assignment;
        Assignment storage found = _inStatus(assignment, AssignmentStatus.PROPOSED);
        if (found.assignee != request.post) revert NotTheAssignee(assignment, request.post, found.assignee);
        if (found.content != request.content) revert AssignmentDiffers(assignment, request.content, found.content);
        bytes32 key = Duties.key(found.duty, found.object);
        found.status = AssignmentStatus.ACCEPTED;
        if (found.role == Duties.LEAD || found.shareBps != 0) {
            _checkLead(assignment, found, key);
            _checkShares(assignment, found, key);
            _checkRoom(found, key);
            _accepted[key].push(assignment);
        }
        _record(
            key,
            4,
            abi.encode(ResponsibilityAccepted.selector, assignment, found.object, found.duty, request.post)
        );
    }

    /// @inheritdoc IResponsibilityLedger
    function handOverBySig(HandOver calldata request, address signer, bytes calldata signature) external {
        bytes32 hash = keccak256(abi.encode(HAND_OVER_TYPEHASH, request));
        _consume(signer, hash, request.nonce, request.deadline, signature);
        if (request.successorAssignment == 0) revert ResponsibilityFieldInvalid("assignment", 0);
        Assignment storage found = _inStatus(request.assignment, AssignmentStatus.ACCEPTED);
        uint32 byAgency = _checkMayAssign(request.post, signer, found.objectKind, found.object, request.toPost);
        _checkMayEnd(request.assignment, found, request.post, byAgency);
        Assignment memory successor = found;
        uint64 at = request.at == 0 ? uint64(block.timestamp) : request.at;
        if (at < block.timestamp) revert EndReachesBack(request.assignment, at, block.timestamp);
        if (at >= found.validTo) revert EndOutsideInterval(request.assignment, at, found.validFrom, found.validTo);
        _end(request.assignment, found, request.post, at, Duties.HANDED_OVER, request.basis);
        successor.assignee = request.toPost;
        successor.validFrom = at;
        successor.status = AssignmentStatus.PROPOSED;
        successor.byAgency = byAgency;
        uint64 statedEnd = successor.validTo == Duties.OPEN_END ? 0 : successor.validTo;
        _propose(request.successorAssignment, successor, request.post, statedEnd, request.basis, request.assignment);
    }

    /// @inheritdoc IResponsibilityLedger
    function vacateBySig(Vacate calldata request, address signer, bytes calldata signature) external {
        bytes32 hash = keccak256(abi.encode(VACATE_TYPEHASH, request));
        _consume(signer, hash, request.nonce, request.deadline, signature);
        Assignment storage found = _assignments[request.assignment];
        bool wasAccepted = found.status == AssignmentStatus.ACCEPTED;
        if (!wasAccepted) found = _inStatus(request.assignment, AssignmentStatus.PROPOSED);
        uint64 at = request.at == 0 ? uint64(block.timestamp) : request.at;
        if (request.post == found.assignee) {
            registry.authorise(request.post, signer, Roles.ALL);
        } else {
            uint32 agency = _checkMayAssign(request.post, signer, found.objectKind, found.object, found.assignee);
            _checkMayEnd(request.assignment, found, request.post, agency);
        }
        if (wasAccepted && at < block.timestamp) revert EndReachesBack(request.assignment, at, block.timestamp);
        uint8 cause = wasAccepted ? Duties.VACATED : Duties.REVOKED;
        _end(request.assignment, found, request.post, at, cause, request.reason);
    }

    /// @inheritdoc IResponsibilityLedger
    function assignmentOf(bytes32 assignment) external view returns (Assignment memory found) {
        return _assignments[assignment];
    }

    /// @inheritdoc IResponsibilityLedger
    function acceptedOf(uint8 duty, bytes32 object) external view returns (bytes32[] memory assignments) {
        return _accepted[Duties.key(duty, object)];
    }

    function _propose(
        bytes32 assignment,
        Assignment memory proposed,
        bytes32 byPost,
        uint64 statedEnd,
        bytes32 basis,
        bytes32 predecessor
    ) private {
        if (_assignments[assignment].status != AssignmentStatus.NONE) revert AssignmentExists(assignment);
        bytes memory topics = abi.encode(ResponsibilityAssigned.selector, assignment, proposed.object, proposed.duty);
        bytes memory data = abi.encode(
            byPost,
            proposed.objectKind,
            proposed.assignee,
            proposed.role,
            proposed.shareBps,
            proposed.validFrom,
            statedEnd,
            basis,
            predecessor
        );
        bytes memory content = bytes.concat(topics, data);
        proposed.content = keccak256(content);
        _assignments[assignment] = proposed;
        _record(Duties.key(proposed.duty, proposed.object), 4, content);
    }

    function _end(
        bytes32 assignment,
        Assignment storage found,
        bytes32 byPost,
        uint64 at,
        uint8 cause,
        bytes32 reason
    ) private {
        bool wasAccepted = found.status == AssignmentStatus.ACCEPTED;
        if (wasAccepted && (at < found.validFrom || at > found.validTo)) {
            revert EndOutsideInterval(assignment, at, found.validFrom, found.validTo);
        }
        found.status = AssignmentStatus.ENDED;
        if (at < found.validTo) found.validTo = at;
        _record(
            Duties.key(found.duty, found.object),
            4,
            abi.encode(ResponsibilityEnded.selector, assignment, found.object, found.duty, byPost, at, cause, reason)
        );
    }

    /// @dev Whose object it is decides; a department head's say ends at its own agency.
    function _checkMayAssign(
        bytes32 post,
        address signer,
        uint8 objectKind,
        bytes32 object,
        bytes32 assignee
    ) private view returns (uint32 number) {
        bytes32 agency;
        uint32 roles;
        (agency, number, roles) = registry.authorise(post, signer, Duties.assigners(objectKind));
        bool isOwn = objectKind == Duties.PLATFORM;
        if (objectKind == Duties.AGREEMENT) isOwn = agreements.isParty(object, agency);
        else if (objectKind == Duties.DATASET) isOwn = _ownerOf(object) == number;
        if (!isOwn) revert ResponsibilityNotOfAgency(object, objectKind, agency);
        if (objectKind == Duties.PLATFORM || roles & Roles.OFFICE_HEADS != 0) return number;
        bytes32 assigneeAgency = registry.postOf(assignee).agency;
        if (assigneeAgency != agency) revert AssigneeOfAnotherAgency(assignee, assigneeAgency, agency);
    }

    /// @dev One party does not end what another party's post answers for, unless it assigned it.
    function _checkMayEnd(bytes32 assignment, Assignment storage found, bytes32 post, uint32 agency) private view {
        if (found.byAgency == agency) return;
        bytes32 assigneeAgency = registry.postOf(found.assignee).agency;
        if (registry.numberOf(assigneeAgency) != agency) revert NotTheAssignee(assignment, post, found.assignee);
    }

    /// @dev Parties choose their agreement's id. One that is a dataset's would let them take the LEAD of that dataset's
    /// duties and mix their history into its own, so an object is of one kind for ever.
    function _claimKind(bytes32 object, uint8 objectKind) private {
        uint8 known = _kinds[object];
        if (known == 0) {
            if (objectKind == Duties.AGREEMENT && _ownerOf(object) != 0) {
                revert ObjectOfAnotherKind(object, objectKind, Duties.DATASET);
            }
            _kinds[object] = objectKind;
        } else if (known != objectKind) {
            revert ObjectOfAnotherKind(object, objectKind, known);
        }
    }

    function _ownerOf(bytes32 dataset) private view returns (uint32) {
        (uint32 lastVersion, ) = catalogue.datasetOf(dataset);
        return lastVersion == 0 ? 0 : catalogue.entryOf(dataset, lastVersion).owner;
    }

    function _checkLead(bytes32 assignment, Assignment storage found, bytes32 key) private view {
        if (found.role != Duties.LEAD) return;
        bytes32[] storage accepted = _accepted[key];
        for (uint256 i = 0; i < accepted.length; i++) {
            Assignment storage other = _assignments[accepted[i]];
            if (other.role == Duties.LEAD && Duties.overlap(found, other)) {
                revert LeadExists(assignment, accepted[i], other.validFrom, other.validTo);
            }
        }
    }

    function _checkShares(bytes32 assignment, Assignment storage found, bytes32 key) private view {
        if (found.shareBps == 0) return;
        bytes32[] storage accepted = _accepted[key];
        Assignment[] memory others = new Assignment[](accepted.length);
        uint256 count = 0;
        for (uint256 i = 0; i < accepted.length; i++) {
            Assignment storage other = _assignments[accepted[i]];
            if (other.shareBps != 0 && Duties.overlap(found, other)) others[count++] = other;
        }
        // Shortened to those that share in the interval, which are never more than were reserved.
        assembly ("memory-safe") {
            mstore(others, count)
        }
        (uint256 most, uint64 at) = Duties.mostShared(found, others);
        if (most + found.shareBps > Duties.WHOLE_BPS) {
            revert SharesExceeded(assignment, at, most + found.shareBps);
        }
    }

    function _checkRoom(Assignment storage found, bytes32 key) private {
        if (_accepted[key].length >= ACCEPTED_MAX) revert DutyFull(found.duty, found.object, ACCEPTED_MAX);
        if (_acceptedOfAgency[key][found.byAgency]++ >= ACCEPTED_OF_AGENCY_MAX) {
            revert DutyFull(found.duty, found.object, ACCEPTED_OF_AGENCY_MAX);
        }
    }

    function _inStatus(bytes32 assignment, AssignmentStatus needed) private view returns (Assignment storage found) {
        found = _assignments[assignment];
        if (found.status != needed) revert AssignmentNotInStatus(assignment, found.status, needed);
    }
}
