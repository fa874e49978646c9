// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/// @title Agreements by version: proposed, signed by every party, in force, suspended, ended, disposed of
/// @notice A version counts once every party's office head signed its terms. The terms are in the event of the proposal;
/// the state holds their hash, so that anyone can show them to the contract (`isVersion`).
/// @dev Windows and reviews are Unix seconds; `validTo` 0 is open-ended. The rules are `ledger/domain/agreement_state.py`.
interface IAgreementLedger is IRunningHeads, ISignedRequests {
    /// @notice One dataset version for one recipient, purpose and delivery, in the window [validFrom, validTo).
    struct Grant {
        bytes32 dataset;
        uint32 datasetVersion;
        bytes32 recipient;
        bytes32 purpose;
        uint8 delivery;
        uint64 validFrom;
        uint64 validTo;
    }

    /// @notice All that the parties of a version agree to; `parties[0]` is the provider.
    struct Terms {
        bytes32 agreement;
        uint32 version;
        bytes32 provider;
        bytes32[] parties;
        bytes32 text;
        bytes32 review;
        uint64 reviewValidUntil;
        Grant[] grants;
    }

    /// @notice A party's office head proposes an agreement, or an amendment of one.
    struct Propose {
        bytes32 post;
        Terms terms;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A party's office head signs a version's terms.
    struct Sign {
        bytes32 post;
        bytes32 agreement;
        uint32 version;
        bytes32 termsHash;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A party's office head withdraws a version that is not active yet.
    struct CancelProposal {
        bytes32 post;
        bytes32 agreement;
        uint32 version;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The provider's office head or a sharing authority suspends an agreement.
    struct Suspend {
        bytes32 post;
        bytes32 agreement;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice Whoever may suspend lets a suspended agreement go on.
    struct Resume {
        bytes32 post;
        bytes32 agreement;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A party's office head or a sharing authority ends an agreement.
    struct Terminate {
        bytes32 post;
        bytes32 agreement;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A requester's office head certifies that the data are disposed of.
    struct Dispose {
        bytes32 post;
        bytes32 agreement;
        bytes32 certificate;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice Where an agreement stands, as `AgreementStatus` in `ledger/domain/codes.py`.
    enum Status {
        NONE,
        PROPOSED,
        ACTIVE,
        SUSPENDED,
        TERMINATED,
        DISPOSED,
        CANCELLED
    }

    /// @notice An agreement as it stands now. Versions are 0 where there is none; `windowsEnd` is 2^40 - 1 if open-ended.
    struct AgreementView {
        Status status;
        bool suspendedByAuthority;
        uint32 activeVersion;
        uint32 pendingVersion;
        uint40 windowsEnd;
    }

    /// @notice A version as it stands now. `status` is PROPOSED or CANCELLED until every party signed, then the
    /// agreement's for as long as the version is the active one. `parties` are the provider, the recipients of this
    /// version or one before it, then the others; dates are 2^40 - 1 if open-ended, the review's is 0 without one.
    struct VersionView {
        bytes32 termsHash;
        Status status;
        uint40 reviewValidUntil;
        uint40 windowsEnd;
        uint8 recipientCount;
        bytes32[] parties;
    }

    /// @notice A version was proposed, with all its terms.
    event AgreementProposed(
        bytes32 indexed agreement,
        uint32 indexed version,
        bytes32 indexed post,
        bytes32 termsHash,
        Terms terms
    );

    /// @notice A party's post signed a version.
    event AgreementSigned(
        bytes32 indexed agreement,
        uint32 indexed version,
        bytes32 indexed post,
        bytes32 party,
        address signer
    );

    /// @notice The last party signed: the version is in force.
    event AgreementActivated(bytes32 indexed agreement, uint32 indexed version);

    /// @notice An agreement does not count until it is resumed.
    event AgreementSuspended(bytes32 indexed agreement, bytes32 indexed post, bytes32 reason, bool byAuthority);

    /// @notice A suspended agreement counts again.
    event AgreementResumed(bytes32 indexed agreement, bytes32 indexed post);

    /// @notice An agreement was ended.
    event AgreementTerminated(bytes32 indexed agreement, bytes32 indexed post, bytes32 reason);

    /// @notice A version that was not active yet was withdrawn, alone or because the agreement ended.
    event ProposalCancelled(bytes32 indexed agreement, uint32 indexed version, bytes32 indexed post, bytes32 reason);

    /// @notice A party certified that the data are disposed of.
    event DisposalCertified(bytes32 indexed agreement, bytes32 indexed post, bytes32 party, bytes32 certificate);

    /// @notice Every party that received data certified their disposal.
    event AgreementDisposed(bytes32 indexed agreement);

    /// @notice The act is not allowed in this status.
    error WrongStatus(bytes32 agreement, Status status);

    /// @notice Ids that begin with four zero bytes are the head keys of (recipient, dataset).
    error AgreementIdReserved(bytes32 agreement);

    /// @notice Who proposes a first version is the provider, or the recipient of every grant.
    error ProposerNotConcerned(uint256 grant, bytes32 recipient, bytes32 proposer);

    /// @notice The first version is 1; an amendment is the active version + 1.
    error VersionOutOfOrder(bytes32 agreement, uint32 version, uint32 expected);

    /// @notice A version waits for signatures already.
    error ProposalPending(bytes32 agreement, uint32 version);

    /// @notice This version does not wait for signatures.
    error NoProposalPending(bytes32 agreement, uint32 version);

    /// @notice Too few or too many parties.
    error PartyCount(uint256 count, uint256 least, uint256 most);

    /// @notice No grant, or too many.
    error GrantCount(uint256 count, uint256 least, uint256 most);

    /// @notice An agency is a party once.
    error PartyTwice(bytes32 party);

    /// @notice The first party is the provider.
    error ProviderNotFirst(bytes32 provider, bytes32 firstParty);

    /// @notice An amendment keeps the provider.
    error ProviderChanged(bytes32 agreement, bytes32 provider, bytes32 proposed);

    /// @notice An amendment keeps every party, since all of them must sign it.
    error PartyDropped(bytes32 agreement, bytes32 party);

    /// @notice The agency is not a party of the version.
    error NotParty(bytes32 agreement, bytes32 agency);

    /// @notice The agency is neither the provider nor acts as a sharing authority.
    error NotProvider(bytes32 agreement, bytes32 agency);

    /// @notice The grant's recipient is not a party, or is the provider.
    error RecipientRefused(uint256 grant, bytes32 recipient);

    /// @notice The grant's window ends before it begins.
    error EmptyWindow(uint256 grant, uint64 validFrom, uint64 validTo);

    /// @notice A granted entry may be shared only with a security review, and the terms have none.
    error ReviewRequired(bytes32 dataset, uint32 version);

    /// @notice A review has a date, and a date a review.
    error ReviewIncomplete(bytes32 review, uint64 reviewValidUntil);

    /// @notice The security review is no longer valid.
    error ReviewExpired(bytes32 agreement, uint32 version, uint64 validUntil, uint256 time);

    /// @notice The signed terms are not the version's.
    error TermsMismatch(bytes32 agreement, uint32 version, bytes32 termsHash, bytes32 expected);

    /// @notice A party signs once.
    error AlreadySigned(bytes32 agreement, uint32 version, bytes32 party);

    /// @notice What a sharing authority suspended, only a sharing authority lets go on.
    error SuspendedByAuthority(bytes32 agreement);

    /// @notice The agreement still allows sharing until `windowsEnd`.
    error DisposalTooEarly(bytes32 agreement, uint40 windowsEnd, uint256 time);

    /// @notice A party certified disposal, so the terms no longer change.
    error DisposalUnderWay(bytes32 agreement);

    /// @notice The party receives no data under the agreement.
    error NotRecipient(bytes32 agreement, bytes32 party);

    /// @notice A party certifies once.
    error AlreadyCertified(bytes32 agreement, bytes32 party);

    /// @notice Proposes version 1 of an agreement, or the next version of one in force or suspended.
    /// An office head of a party; of an amendment, of a party of the active version.
    function proposeBySig(Propose calldata request, address signer, bytes calldata signature) external;

    /// @notice Signs the version that waits; the last party's signature puts it in force. An office head of a party.
    function signBySig(Sign calldata request, address signer, bytes calldata signature) external;

    /// @notice Withdraws the version that waits. An office head of a party of it.
    function cancelProposalBySig(CancelProposal calldata request, address signer, bytes calldata signature) external;

    /// @notice Suspends an agreement in force. The provider's PROVIDER_OFFICE_HEAD, or any SHARING_AUTHORITY.
    function suspendBySig(Suspend calldata request, address signer, bytes calldata signature) external;

    /// @notice Lets a suspended agreement go on: as `suspendBySig`, but only an authority after an authority.
    function resumeBySig(Resume calldata request, address signer, bytes calldata signature) external;

    /// @notice Ends an agreement in force or suspended. An office head of a party, or any SHARING_AUTHORITY.
    function terminateBySig(Terminate calldata request, address signer, bytes calldata signature) external;

    /// @notice Certifies disposal after the end, or after all windows. A recipient's REQUESTER_OFFICE_HEAD.
    function disposeBySig(Dispose calldata request, address signer, bytes calldata signature) external;

    /// @notice An agreement as it stands now; all zero if there is none.
    function agreementOf(bytes32 agreement) external view returns (AgreementView memory known);

    /// @notice A version as it stands now; all zero if there is none. A cancelled version's number may be proposed anew.
    function versionOf(bytes32 agreement, uint32 version) external view returns (VersionView memory known);

    /// @notice Whether an agency signed a version that waits or was put in force.
    function hasSigned(bytes32 agreement, uint32 version, bytes32 agency) external view returns (bool signed);

    /// @notice Whether an agency certified disposal.
    function hasDisposed(bytes32 agreement, bytes32 agency) external view returns (bool disposed);

    /// @notice Whether these are the terms of their agreement's version.
    function isVersion(Terms calldata terms) external view returns (bool same);

    /// @notice The EIP-712 struct hash of terms, which parties sign.
    function hashTerms(Terms calldata terms) external pure returns (bytes32 termsHash);
}
