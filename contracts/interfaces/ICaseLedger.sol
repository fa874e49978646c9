// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";

/// @title Cases, sealed until their notice
/// @notice A case is a random id and a chain of steps, each a commitment signed by a post. Whom it is about is hidden from
/// everyone, this contract included, until the notice (or a closing or withdrawal without one) opens it out of the filing.
/// @dev What stays visible before: that some post acted, when, and how often. Steps and their order: `CaseSteps`.
interface ICaseLedger is IRunningHeads {
    /// @notice A post takes a case one step further.
    /// @param post The post that acts.
    /// @param caseId The case; random, chosen with its first step.
    /// @param step The step, as in `CaseSteps`.
    /// @param commitment Root over the salted groups of what the step says.
    /// @param aux With a filing, the hash of the leaf that holds its respondent (salted, so it tells nobody whom): what the
    /// notice opens is fixed when the case is filed. Zero with every other step.
    /// @param nonce Keyed nonce of the signer.
    /// @param deadline Last Unix second at which the signature counts.
    struct Advance {
        bytes32 post;
        bytes32 caseId;
        uint8 step;
        bytes32 commitment;
        bytes32 aux;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The respondent's group, opened out of the filing's commitment.
    /// @param filing The filing's commitment.
    /// @param leaf The group's bytes: `["<salt in base64>","respondent","<agency's text id>"]`, canonical JSON.
    /// @param index The group's place among the filing's groups.
    /// @param size The number of groups.
    /// @param path RFC 6962 audit path from the group to the commitment.
    struct Opening {
        bytes32 filing;
        bytes leaf;
        uint64 index;
        uint64 size;
        bytes32[] path;
    }

    /// @notice The step does not follow where the case stands (`step` 0: there is no such case yet).
    error CaseStepNotAllowed(bytes32 caseId, uint8 step, uint8 next);
    /// @notice Another agency's post takes this step: while the case is sealed only the authority's posts sign; afterwards
    /// also a superior, a reviewer, and the respondent where it responds.
    error CaseOfAnotherAuthority(bytes32 caseId, bytes32 agency, bytes32 authority);
    /// @notice Who reviews took no part before; `capacity` says what part the post took.
    error ReviewerNotIndependent(bytes32 caseId, bytes32 post, string capacity);
    /// @notice The respondent is an agency (or its successor or predecessor) that acts as the case's authority, reviewer or
    /// superior, or did so before the case was opened.
    error OwnCase(bytes32 caseId, bytes32 agency, bytes32 post);
    /// @notice The step must open the respondent, who is still sealed.
    error CaseSealed(bytes32 caseId, uint8 step);
    /// @notice The step does not open anything.
    error CaseStepOpensNothing(bytes32 caseId, uint8 step);
    /// @notice The opening is of another commitment than the case's filing.
    error CaseFilingMismatch(bytes32 caseId, bytes32 given, bytes32 filing);
    /// @notice The path does not lead from the group to the filing's commitment.
    error CaseOpeningInvalid(bytes32 caseId, bytes32 filing);
    /// @notice The opening is of another leaf than the one that the filing named.
    error CaseRespondentMismatch(bytes32 caseId, bytes32 givenLeaf, bytes32 respondentLeaf);
    /// @notice A filing names the leaf that holds its respondent.
    error CaseRespondentMissing(bytes32 caseId);
    /// @notice A case has an id other than zero.
    error CaseIdMissing();
    /// @notice A rectification was ordered and no independent review has verified it.
    error CaseReviewMissing(bytes32 caseId);

    /// @notice A case took a step.
    event CaseAdvanced(
        bytes32 indexed caseId,
        uint8 indexed step,
        bytes32 indexed post,
        bytes32 commitment,
        bytes32 aux
    );

    /// @notice The respondent was opened out of the filing; follows the `CaseAdvanced` of the same call.
    event CaseOpened(bytes32 indexed caseId, bytes32 indexed respondent, bytes32 filing);

    /// @notice The EIP-712 type hash of `Advance`.
    // solhint-disable-next-line func-name-mixedcase
    function ADVANCE_TYPEHASH() external view returns (bytes32);

    /// @notice Takes a case one step further.
    /// @dev Reverts with `IPostAuthorityErrors` and `ISignedRequests` too. A notice, closing or withdrawal of a case that
    /// is still sealed is refused here: `openNoticeBySig` takes it.
    /// @param request What the post signed.
    /// @param signer The key that signed.
    /// @param signature Its signature.
    function advanceBySig(Advance calldata request, address signer, bytes calldata signature) external;

    /// @notice Takes a notice, closing or withdrawal, and opens whom the case is about.
    /// @dev The opening is not signed: the filing's commitment proves it. Where the respondent is open already, the same
    /// opening is taken again and no second `CaseOpened` is emitted.
    /// @param request What the post signed.
    /// @param opening The respondent's group in the filing.
    /// @param signer The key that signed.
    /// @param signature Its signature.
    function openNoticeBySig(
        Advance calldata request,
        Opening calldata opening,
        address signer,
        bytes calldata signature
    ) external;

    /// @notice Returns where a case stands.
    /// @return step The main track's last step; 0 if there is no such case.
    /// @return appeal The last step of the appeal; 0 if none was filed.
    /// @return authority The agency whose case it is.
    /// @return respondent Whom it is about; zero while sealed.
    /// @return filing The filing's commitment; zero for a lead.
    function caseOf(
        bytes32 caseId
    ) external view returns (uint8 step, uint8 appeal, bytes32 authority, bytes32 respondent, bytes32 filing);

    /// @notice Returns in what capacities a post took part, as bits of `CaseSteps`.
    function capacitiesOf(bytes32 caseId, bytes32 post) external view returns (uint8 capacities);
}
