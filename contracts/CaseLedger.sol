// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RunningHeads} from "./base/RunningHeads.sol";
import {SignedRequests} from "./base/SignedRequests.sol";
import {IAgencyRegistry, IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {ICaseLedger} from "./interfaces/ICaseLedger.sol";
import {CaseSteps} from "./libraries/CaseSteps.sol";
import {RespondentLeaf} from "./libraries/RespondentLeaf.sol";
import {RFC6962} from "./libraries/RFC6962.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title CaseLedger
/// @notice See `ICaseLedger`.
contract CaseLedger is RunningHeads, SignedRequests, ICaseLedger {
    /// @dev `respondentLeaf` is the hash of the one leaf of the filing that may ever be opened. `reviewDue` is set while a
    /// rectification was ordered that no review has verified.
    struct Case {
        bytes32 authority;
        bytes32 filing;
        bytes32 respondentLeaf;
        bytes32 respondent;
        uint8 step;
        uint8 appeal;
        bool decided;
        bool reviewDue;
    }

    /// @inheritdoc ICaseLedger
    bytes32 public constant ADVANCE_TYPEHASH = keccak256(
        "Advance(bytes32 post,bytes32 caseId,uint8 step,bytes32 commitment,bytes32 aux,uint256 nonce,uint64 deadline)"
    );

    /// @notice The registry that says which key speaks for which post.
    IAgencyRegistry public immutable registry;

    mapping(bytes32 caseId => Case) private _cases;
    mapping(bytes32 caseId => mapping(bytes32 post => uint8)) private _capacities;

    constructor(IAgencyRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ICaseLedger
    function advanceBySig(Advance calldata request, address signer, bytes calldata signature) external {
        Case storage found = _cases[request.caseId];
        (bytes32 agency, uint32 roles) = _admit(found, request, signer, signature);
        if (CaseSteps.isOpening(request.step) && found.respondent == 0) {
            revert CaseSealed(request.caseId, request.step);
        }
        _take(found, request, agency, roles);
    }

    /// @inheritdoc ICaseLedger
    function openNoticeBySig(
        Advance calldata request,
        Opening calldata opening,
        address signer,
        bytes calldata signature
    ) external {
        Case storage found = _cases[request.caseId];
        (bytes32 agency, uint32 roles) = _admit(found, request, signer, signature);
        if (!CaseSteps.isOpening(request.step)) revert CaseStepOpensNothing(request.caseId, request.step);
        bytes32 respondent = _respondentOf(found, request.caseId, opening);
        bool isNew = found.respondent == 0;
        if (isNew) {
            // Who opens is still held to the rule of a sealed case, and what the authority did so far was never its own.
            _checkAgency(found, request, agency, roles);
            if (_isSame(found.authority, respondent)) revert OwnCase(request.caseId, found.authority, request.post);
            found.respondent = respondent;
        }
        _take(found, request, agency, roles);
        if (isNew) {
            _record(request.caseId, 3, abi.encode(CaseOpened.selector, request.caseId, respondent, opening.filing));
        }
    }

    /// @inheritdoc ICaseLedger
    function caseOf(
        bytes32 caseId
    ) external view returns (uint8 step, uint8 appeal, bytes32 authority, bytes32 respondent, bytes32 filing) {
        Case storage found = _cases[caseId];
        return (found.step, found.appeal, found.authority, found.respondent, found.filing);
    }

    /// @inheritdoc ICaseLedger
    function capacitiesOf(bytes32 caseId, bytes32 post) external view returns (uint8 capacities) {
        return _capacities[caseId][post];
    }

    /// @dev The signature, the post's right to take such a step, and the step's place in the case.
    function _admit(
        Case storage found,
        Advance calldata request,
        address signer,
        bytes calldata signature
    ) private returns (bytes32 agency, uint32 roles) {
        _consume(signer, _hash(request), request.nonce, request.deadline, signature);
        // A review's role is looked at last, so that who took part is told so rather than that it lacks a role.
        uint32 anyOf = CaseSteps.isReview(request.step) ? Roles.ALL : CaseSteps.signers(request.step);
        (agency, , roles) = registry.authorise(request.post, signer, anyOf);
        if (!CaseSteps.mayFollow(found.step, found.appeal, found.decided, request.step)) {
            revert CaseStepNotAllowed(request.caseId, found.step, request.step);
        }
    }

    /// @dev Whose post may take the step in this very case; then the change and its event.
    function _take(Case storage found, Advance calldata request, bytes32 agency, uint32 roles) private {
        bytes32 caseId = request.caseId;
        uint8 step = request.step;
        if (found.step == 0) {
            if (caseId == 0) revert CaseIdMissing();
            found.authority = agency;
        } else _checkAgency(found, request, agency, roles);
        if (CaseSteps.isReview(step)) {
            uint8 capacities = _capacities[caseId][request.post];
            if (capacities != 0) {
                revert ReviewerNotIndependent(caseId, request.post, CaseSteps.capacityName(capacities));
            }
            uint32 anyOf = CaseSteps.signers(step);
            if (roles & anyOf == 0) revert IPostAuthorityErrors.MissingRole(request.post, roles, anyOf);
        }
        _capacities[caseId][request.post] |= CaseSteps.capacity(step);
        _move(found, request);
        _record(
            caseId,
            4,
            abi.encode(CaseAdvanced.selector, caseId, step, request.post, request.commitment, request.aux)
        );
    }

    /// @dev While the case is sealed, the posts of its authority alone sign: so the step that opens it is the authority's,
    /// and an own case is found then. Afterwards the respondent responds, a superior may step in, and any reviewer review.
    function _checkAgency(Case storage found, Advance calldata request, bytes32 agency, uint32 roles) private view {
        bool isResponse = CaseSteps.isResponse(request.step);
        uint32 anyOf = CaseSteps.INVESTIGATING;
        if (found.respondent != 0 && _isSame(agency, found.respondent)) {
            if (!isResponse) revert OwnCase(request.caseId, agency, request.post);
            anyOf = CaseSteps.RESPONDING;
        } else if (agency != found.authority) {
            bool mayStepIn = CaseSteps.isReview(request.step) || roles & Roles.SUPERIOR != 0;
            if (found.respondent == 0 || !mayStepIn) {
                revert CaseOfAnotherAuthority(request.caseId, agency, found.authority);
            }
        }
        if (isResponse && roles & anyOf == 0) revert IPostAuthorityErrors.MissingRole(request.post, roles, anyOf);
    }

    /// @dev An agency and the one that took its place are the same party to a case.
    function _isSame(bytes32 agency, bytes32 respondent) private view returns (bool) {
        return
            agency == respondent ||
            registry.agencyOf(agency).successor == respondent ||
            registry.agencyOf(respondent).successor == agency;
    }

    function _move(Case storage found, Advance calldata request) private {
        uint8 step = request.step;
        if (step == CaseSteps.APPEAL_FILED || CaseSteps.isAppealOutcome(step)) {
            found.appeal = step;
            return;
        }
        if (step == CaseSteps.FILED) {
            if (request.aux == 0) revert CaseRespondentMissing(request.caseId);
            (found.filing, found.respondentLeaf) = (request.commitment, request.aux);
        } else if (step == CaseSteps.DECIDED) found.decided = true;
        else if (step == CaseSteps.RECTIFYING) found.reviewDue = true;
        else if (step == CaseSteps.VERIFIED) found.reviewDue = false;
        else if (step == CaseSteps.CLOSED && found.reviewDue) revert CaseReviewMissing(request.caseId);
        found.step = step;
    }

    function _respondentOf(
        Case storage found,
        bytes32 caseId,
        Opening calldata opening
    ) private view returns (bytes32) {
        if (opening.filing != found.filing) revert CaseFilingMismatch(caseId, opening.filing, found.filing);
        bytes32 leaf = RFC6962.hashLeaf(opening.leaf);
        if (!RFC6962.isIncluded(leaf, opening.index, opening.size, opening.path, opening.filing)) {
            revert CaseOpeningInvalid(caseId, opening.filing);
        }
        if (leaf != found.respondentLeaf) revert CaseRespondentMismatch(caseId, leaf, found.respondentLeaf);
        return RespondentLeaf.agencyOf(opening.leaf);
    }

    function _hash(Advance calldata request) private pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    ADVANCE_TYPEHASH,
                    request.post,
                    request.caseId,
                    request.step,
                    request.commitment,
                    request.aux,
                    request.nonce,
                    request.deadline
                )
            );
    }
}
