// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";

/// @title Which post answers for which duty about which object
/// @notice An assignment is proposed by whoever may dispose of the object, and counts once its assignee accepts it: then
/// in [validFrom, validTo), or until it was ended. For one duty about one object there are never two LEADs at a time.
/// @dev Valid times may reach back to before they are recorded, and readers see that; authority to sign never does.
interface IResponsibilityLedger is IRunningHeads {
    /// @notice A head proposes that a post answer for a duty.
    /// @param post The post that proposes.
    /// @param assignment The assignment's id; random, used once.
    /// @param duty 1 to 12, as `Duty` in `ledger/domain/codes.py`.
    /// @param objectKind 1 dataset, 2 agreement, 3 the platform.
    /// @param object What the duty is about; for the platform `keccak256("platform")`.
    /// @param assignee The post that shall answer.
    /// @param role 1 LEAD, 2 SUPPORT, 3 SUPERVISE, 4 ENTRUSTED.
    /// @param shareBps Share of the responsibility in hundredths of a percent; 0 if none is stated.
    /// @param validFrom First Unix second.
    /// @param validTo Unix second after the last; 0 is open-ended.
    /// @param basis Commitment to the ground of the assignment; zero if none is stated.
    /// @param nonce Keyed nonce of the signer.
    /// @param deadline Last Unix second at which the signature counts.
    struct Assign {
        bytes32 post;
        bytes32 assignment;
        uint8 duty;
        uint8 objectKind;
        bytes32 object;
        bytes32 assignee;
        uint8 role;
        uint16 shareBps;
        uint64 validFrom;
        uint64 validTo;
        bytes32 basis;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The assignee takes the duty.
    /// @param post The assignee.
    /// @param assignment The assignment.
    /// @param content What is accepted: keccak256 of the `ResponsibilityAssigned` log's topics and data, so that nobody can
    /// put another duty under the id before the acceptance arrives.
    /// @param nonce Keyed nonce of the signer.
    /// @param deadline Last Unix second at which the signature counts.
    struct Accept {
        bytes32 post;
        bytes32 assignment;
        bytes32 content;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice Ends an accepted assignment at `at` (0: now) and proposes it to `toPost` from then on.
    struct HandOver {
        bytes32 post;
        bytes32 assignment;
        bytes32 successorAssignment;
        bytes32 toPost;
        uint64 at;
        bytes32 basis;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice Ends an accepted assignment at `at` (0: now) without a successor, or revokes a proposal.
    struct Vacate {
        bytes32 post;
        bytes32 assignment;
        uint64 at;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice Where an assignment stands.
    enum AssignmentStatus {
        NONE,
        PROPOSED,
        ACCEPTED,
        ENDED
    }

    /// @notice An assignment as it stands now.
    /// @dev `validTo` is where the interval ends by what was proposed and ended since; `type(uint64).max` is open-ended.
    /// `byAgency` is the registry's number of the agency that assigned it; `content` is what an acceptance signs.
    struct Assignment {
        bytes32 object;
        bytes32 assignee;
        uint64 validFrom;
        uint64 validTo;
        uint16 shareBps;
        uint8 duty;
        uint8 objectKind;
        uint8 role;
        AssignmentStatus status;
        uint32 byAgency;
        bytes32 content;
    }

    /// @notice A code has no meaning: `field` is `duty`, `objectKind`, `role`, `shareBps`, `object` or `assignment`.
    error ResponsibilityFieldInvalid(string field, uint256 value);
    /// @notice The interval is empty, or ends before it starts.
    error ResponsibilityIntervalEmpty(uint64 validFrom, uint64 validTo);
    /// @notice The id was used.
    error AssignmentExists(bytes32 assignment);
    /// @notice The assignment is not in the state that the act needs (0 none, 1 proposed, 2 accepted, 3 ended).
    error AssignmentNotInStatus(bytes32 assignment, AssignmentStatus status, AssignmentStatus needed);
    /// @notice The agency may not dispose of duties about the object: it is no party, not the owner, or no authority.
    error ResponsibilityNotOfAgency(bytes32 object, uint8 objectKind, bytes32 agency);
    /// @notice The id is already that of an object of another kind.
    error ObjectOfAnotherKind(bytes32 object, uint8 objectKind, uint8 known);
    /// @notice A department head assigns posts of its own agency only.
    error AssigneeOfAnotherAgency(bytes32 assignee, bytes32 assigneeAgency, bytes32 agency);
    /// @notice Only the assignee accepts; only it, its agency and the agency that assigned it end.
    error NotTheAssignee(bytes32 assignment, bytes32 post, bytes32 assignee);
    /// @notice What was signed for acceptance is another assignment than the id's.
    error AssignmentDiffers(bytes32 assignment, bytes32 given, bytes32 content);
    /// @notice Another post is LEAD in a part of the interval.
    error LeadExists(bytes32 assignment, bytes32 other, uint64 otherFrom, uint64 otherTo);
    /// @notice The shares of what is accepted would be over 100 % at `time`.
    error SharesExceeded(bytes32 assignment, uint64 time, uint256 totalBps);
    /// @notice An assignment ends within its interval.
    error EndOutsideInterval(bytes32 assignment, uint64 at, uint64 validFrom, uint64 validTo);
    /// @notice Nobody takes back, for a time that has passed, that a post answered for a duty.
    error EndReachesBack(bytes32 assignment, uint64 at, uint256 time);
    /// @notice The duty about the object has as many LEADs and shares as can be checked, in all or of one agency's assigning.
    error DutyFull(uint8 duty, bytes32 object, uint256 limit);

    /// @notice A post was proposed for a duty.
    event ResponsibilityAssigned(
        bytes32 indexed assignment,
        bytes32 indexed object,
        uint8 indexed duty,
        bytes32 byPost,
        uint8 objectKind,
        bytes32 assignee,
        uint8 role,
        uint16 shareBps,
        uint64 validFrom,
        uint64 validTo,
        bytes32 basis,
        bytes32 predecessor
    );

    /// @notice The assignee took the duty.
    event ResponsibilityAccepted(bytes32 indexed assignment, bytes32 indexed object, uint8 indexed duty, bytes32 post);

    /// @notice An assignment ends at `at`; cause 1 handed over, 2 vacated, 3 revoked before it was accepted.
    event ResponsibilityEnded(
        bytes32 indexed assignment,
        bytes32 indexed object,
        uint8 indexed duty,
        bytes32 byPost,
        uint64 at,
        uint8 cause,
        bytes32 reason
    );

    /// @notice Proposes an assignment.
    /// @dev Reverts with `IPostAuthorityErrors` and `ISignedRequests` too, as all functions here. About an agreement an
    /// office head of a party assigns any post and a department head of a party its own agency's; about a dataset
    /// likewise in the owner's agency; about the platform a sharing authority, its superior or the operator assigns.
    function assignBySig(Assign calldata request, address signer, bytes calldata signature) external;

    /// @notice Accepts an assignment as its assignee.
    function acceptBySig(Accept calldata request, address signer, bytes calldata signature) external;

    /// @notice Hands an assignment over; whoever may assign may.
    function handOverBySig(HandOver calldata request, address signer, bytes calldata signature) external;

    /// @notice Vacates or revokes an assignment; whoever may assign may, and the assignee from now on.
    function vacateBySig(Vacate calldata request, address signer, bytes calldata signature) external;

    /// @notice Returns an assignment as it stands now; status NONE if there is no such assignment.
    function assignmentOf(bytes32 assignment) external view returns (Assignment memory found);

    /// @notice Returns the LEADs and shares that were accepted for a duty about an object, in the order of acceptance.
    function acceptedOf(uint8 duty, bytes32 object) external view returns (bytes32[] memory assignments);
}
