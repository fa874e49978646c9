// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AgreementVersions} from "./base/AgreementVersions.sol";
import {RunningHeads} from "./base/RunningHeads.sol";
import {SignedRequests} from "./base/SignedRequests.sol";
import {IAgencyRegistry} from "./interfaces/IAgencyRegistry.sol";
import {IAgreementLedger} from "./interfaces/IAgreementLedger.sol";
import {IAgreementParties} from "./interfaces/IAgreementParties.sol";
import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {Roles} from "./libraries/Roles.sol";
import {TermsHash} from "./libraries/TermsHash.sol";

/// @title Agreements by version
/// @dev Parties and granted entries are remembered by their four-byte numbers in the registry and the catalogue, and
/// each record fills one slot or two: a signed agreement of two parties costs each of them less than 200,000 gas.
contract AgreementLedger is RunningHeads, SignedRequests, AgreementVersions, IAgreementParties {
    /// @dev One slot. At most one version waits for signatures: the active one + 1.
    struct Agreement {
        Status status;
        bool suspendedByAuthority;
        bool isPending;
        uint32 activeVersion;
        uint32 signed; // Bit i: party i of the pending version signed it.
        uint32 disposed; // Bit i: party i of the active version certified disposal.
        uint40 windowsEnd; // Of the active version.
        uint40 pendingWindowsEnd;
        uint16 pendingEntries; // How many catalogue entries follow the parties in the pending version's numbers.
    }

    bytes32 public constant GRANT_TYPEHASH = TermsHash.GRANT_TYPEHASH;
    bytes32 public constant TERMS_TYPEHASH = TermsHash.TERMS_TYPEHASH;
    bytes32 public constant PROPOSE_TYPEHASH = keccak256(
        "Propose(bytes32 post,Terms terms,uint256 nonce,uint64 deadline)"
        "Grant(bytes32 dataset,uint32 datasetVersion,bytes32 recipient,bytes32 purpose,uint8 delivery,"
        "uint64 validFrom,uint64 validTo)"
        "Terms(bytes32 agreement,uint32 version,bytes32 provider,bytes32[] parties,bytes32 text,bytes32 review,"
        "uint64 reviewValidUntil,Grant[] grants)"
    );
    bytes32 public constant SIGN_TYPEHASH = keccak256(
        "Sign(bytes32 post,bytes32 agreement,uint32 version,bytes32 termsHash,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant CANCEL_PROPOSAL_TYPEHASH = keccak256(
        "CancelProposal(bytes32 post,bytes32 agreement,uint32 version,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant SUSPEND_TYPEHASH = keccak256(
        "Suspend(bytes32 post,bytes32 agreement,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant RESUME_TYPEHASH = keccak256(
        "Resume(bytes32 post,bytes32 agreement,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant TERMINATE_TYPEHASH = keccak256(
        "Terminate(bytes32 post,bytes32 agreement,bytes32 reason,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant DISPOSE_TYPEHASH = keccak256(
        "Dispose(bytes32 post,bytes32 agreement,bytes32 certificate,uint256 nonce,uint64 deadline)"
    );

    mapping(bytes32 agreement => Agreement known) private _agreements;

    constructor(IAgencyRegistry registry_, ICatalogue catalogue_) AgreementVersions(registry_, catalogue_) {}

    /// @inheritdoc IAgreementLedger
    function proposeBySig(Propose calldata request, address signer, bytes calldata signature) external {
        Terms calldata terms = request.terms;
        bytes32 termsHash = TermsHash.hash(terms);
        bytes32 structHash = keccak256(
            abi.encode(PROPOSE_TYPEHASH, request.post, termsHash, request.nonce, request.deadline)
        );
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 agency, uint32 proposer, ) = _authorise(request.post, signer, Roles.OFFICE_HEADS);

        Agreement memory agreement = _load(terms.agreement);
        _checkTurn(terms, agreement);
        Draft memory draft = _check(terms, agreement.activeVersion, agency, proposer);
        if (agreement.status == Status.NONE) agreement.status = Status.PROPOSED;
        agreement.isPending = true;
        agreement.signed = 0;
        agreement.pendingWindowsEnd = _toUint40(draft.windowsEnd);
        agreement.pendingEntries = uint16(draft.count - draft.partyCount);
        _agreements[terms.agreement] = agreement;
        _store(terms, termsHash, draft);
        _recordProposed(terms, termsHash, request.post);
    }

    /// @inheritdoc IAgreementLedger
    function signBySig(Sign calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(SIGN_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.OFFICE_HEADS);

        Agreement memory agreement = _load(request.agreement);
        _checkPending(request.agreement, request.version, agreement);
        Version memory version = _version(request.agreement, request.version);
        if (request.termsHash != version.termsHash) {
            revert TermsMismatch(request.agreement, request.version, request.termsHash, version.termsHash);
        }
        uint256 bit = 1 << _partyIndex(request.agreement, request.version, version, number, party);
        if (agreement.signed & bit != 0) revert AlreadySigned(request.agreement, request.version, party);
        agreement.signed |= uint32(bit);

        bool isLast = agreement.signed == (1 << version.partyCount) - 1;
        if (isLast) {
            _activate(request.agreement, request.version, version, agreement.pendingEntries);
            if (agreement.status == Status.PROPOSED) agreement.status = Status.ACTIVE;
            agreement.isPending = false;
            agreement.activeVersion = request.version;
            agreement.windowsEnd = agreement.pendingWindowsEnd;
        }
        _agreements[request.agreement] = agreement;
        _recordSigned(request, party, signer, isLast);
    }

    /// @inheritdoc IAgreementLedger
    function cancelProposalBySig(CancelProposal calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(CANCEL_PROPOSAL_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.OFFICE_HEADS);

        Agreement storage agreement = _agreements[request.agreement];
        _checkPending(request.agreement, request.version, agreement);
        Version memory version = _version(request.agreement, request.version);
        _partyIndex(request.agreement, request.version, version, number, party);
        agreement.isPending = false;
        if (agreement.status == Status.PROPOSED) agreement.status = Status.CANCELLED;
        _recordCancelled(request.agreement, request.version, request.post, request.reason);
    }

    /// @inheritdoc IAgreementLedger
    function suspendBySig(Suspend calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(SUSPEND_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Agreement storage agreement = _agreements[request.agreement];
        if (agreement.status != Status.ACTIVE) revert WrongStatus(request.agreement, agreement.status);
        (bool byAuthority, ) = _supervisor(request.post, signer, request.agreement, agreement.activeVersion);
        agreement.status = Status.SUSPENDED;
        agreement.suspendedByAuthority = byAuthority;
        bytes memory log = abi.encode(
            AgreementSuspended.selector,
            request.agreement,
            request.post,
            request.reason,
            byAuthority
        );
        _record(request.agreement, 3, log);
    }

    /// @inheritdoc IAgreementLedger
    function resumeBySig(Resume calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(RESUME_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Agreement storage agreement = _agreements[request.agreement];
        if (agreement.status != Status.SUSPENDED) revert WrongStatus(request.agreement, agreement.status);
        (, uint32 roles) = _supervisor(request.post, signer, request.agreement, agreement.activeVersion);
        if (agreement.suspendedByAuthority && roles & Roles.SHARING_AUTHORITY == 0) {
            revert SuspendedByAuthority(request.agreement);
        }
        agreement.status = Status.ACTIVE;
        agreement.suspendedByAuthority = false;
        _record(request.agreement, 3, abi.encode(AgreementResumed.selector, request.agreement, request.post));
    }

    /// @inheritdoc IAgreementLedger
    function terminateBySig(Terminate calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(TERMINATE_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 agency, uint32 number, uint32 roles) = _authorise(
            request.post,
            signer,
            Roles.OFFICE_HEADS | Roles.SHARING_AUTHORITY
        );
        Agreement storage agreement = _agreements[request.agreement];
        _checkOpen(request.agreement, agreement.status);
        uint32 active = agreement.activeVersion;
        if (roles & Roles.SHARING_AUTHORITY == 0) {
            _partyIndex(request.agreement, active, _version(request.agreement, active), number, agency);
        }
        bool wasPending = agreement.isPending;
        agreement.status = Status.TERMINATED;
        agreement.suspendedByAuthority = false;
        agreement.isPending = false;
        if (wasPending) _recordCancelled(request.agreement, active + 1, request.post, request.reason);
        bytes memory log = abi.encode(AgreementTerminated.selector, request.agreement, request.post, request.reason);
        _record(request.agreement, 3, log);
    }

    /// @inheritdoc IAgreementLedger
    function disposeBySig(Dispose calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(DISPOSE_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.REQUESTER_OFFICE_HEAD);

        Agreement memory agreement = _load(request.agreement);
        uint32 active = agreement.activeVersion;
        Version memory version = _version(request.agreement, active);
        _checkDisposable(request.agreement, agreement);
        uint256 bit = 1 << _partyIndex(request.agreement, active, version, number, party);
        if (version.recipients & bit == 0) revert NotRecipient(request.agreement, party);
        if (agreement.disposed & bit != 0) revert AlreadyCertified(request.agreement, party);

        agreement.disposed |= uint32(bit);
        bool isLast = version.recipients & ~agreement.disposed == 0;
        if (isLast) {
            agreement.status = Status.DISPOSED;
            agreement.suspendedByAuthority = false;
        }
        _agreements[request.agreement] = agreement;
        _recordDisposal(request, party, isLast);
    }

    /// @inheritdoc IAgreementLedger
    function agreementOf(bytes32 agreement) external view returns (AgreementView memory known) {
        Agreement memory found = _load(agreement);
        return
            AgreementView({
                status: found.status,
                suspendedByAuthority: found.suspendedByAuthority,
                activeVersion: found.activeVersion,
                pendingVersion: found.isPending ? found.activeVersion + 1 : 0,
                windowsEnd: found.windowsEnd
            });
    }

    /// @inheritdoc IAgreementLedger
    function versionOf(bytes32 agreement, uint32 version) external view returns (VersionView memory known) {
        Version memory found = _version(agreement, version);
        bytes32[] memory parties = new bytes32[](found.partyCount);
        for (uint256 i = 0; i < parties.length; ++i) {
            parties[i] = registry.agencyByNumber(_numberAt(agreement, version, found.firstNumbers, i));
        }
        return
            VersionView({
                termsHash: found.termsHash,
                proposedAt: found.proposedAt,
                activatedAt: found.activatedAt,
                reviewValidUntil: found.reviewValidUntil,
                parties: parties
            });
    }

    /// @inheritdoc IAgreementLedger
    function hasSigned(bytes32 agreement, bytes32 agency) external view returns (bool signed) {
        Agreement memory found = _load(agreement);
        if (!found.isPending) return false;
        uint32 version = found.activeVersion + 1;
        uint256 index = _indexOf(agreement, version, _version(agreement, version), registry.numberOf(agency));
        return index < MAX_PARTIES && (found.signed >> index) & 1 == 1;
    }

    /// @inheritdoc IAgreementLedger
    function hasDisposed(bytes32 agreement, bytes32 agency) external view returns (bool disposed) {
        Agreement memory found = _load(agreement);
        uint32 version = found.activeVersion;
        uint256 index = _indexOf(agreement, version, _version(agreement, version), registry.numberOf(agency));
        return index < MAX_PARTIES && (found.disposed >> index) & 1 == 1;
    }

    /// @inheritdoc IAgreementParties
    function isParty(bytes32 agreement, bytes32 agency) external view returns (bool) {
        Agreement memory found = _load(agreement);
        uint32 number = registry.agencyOf(agency).number;
        uint32 version = found.isPending ? found.activeVersion + 1 : found.activeVersion;
        return number != 0 && _indexOf(agreement, version, _version(agreement, version), number) < MAX_PARTIES;
    }

    /// @inheritdoc IAgreementLedger
    function isVersion(Terms calldata terms) external view returns (bool same) {
        return _version(terms.agreement, terms.version).termsHash == TermsHash.hash(terms);
    }

    /// @inheritdoc IAgreementLedger
    function hashTerms(Terms calldata terms) external pure returns (bytes32 termsHash) {
        return TermsHash.hash(terms);
    }

    // Workers

    /// @dev Advances the agreement's head, then that of each (recipient, dataset) in the order of first appearance.
    function _recordProposed(Terms calldata terms, bytes32 termsHash, bytes32 post) private {
        bytes memory log = abi.encodePacked(
            AgreementProposed.selector,
            terms.agreement,
            uint256(terms.version),
            post,
            abi.encode(termsHash, terms)
        );
        bytes32 digest = _log(4, log);
        _advance(terms.agreement, digest);
        bytes32[] memory pairs = new bytes32[](terms.grants.length);
        uint256 count = 0;
        for (uint256 i = 0; i < terms.grants.length; ++i) {
            bytes32 pair = keccak256(abi.encode(terms.grants[i].recipient, terms.grants[i].dataset));
            uint256 place = 0;
            while (place < count && pairs[place] != pair) ++place;
            if (place < count) continue;
            pairs[count++] = pair;
            _advance(pair, digest);
        }
    }

    function _recordSigned(Sign calldata request, bytes32 party, address signer, bool isLast) private {
        (bytes32 id, uint32 version) = (request.agreement, request.version);
        _record(id, 4, abi.encode(AgreementSigned.selector, id, version, request.post, party, signer));
        if (isLast) _record(id, 3, abi.encode(AgreementActivated.selector, id, version));
    }

    function _recordDisposal(Dispose calldata request, bytes32 party, bool isLast) private {
        bytes32 id = request.agreement;
        _record(id, 3, abi.encode(DisposalCertified.selector, id, request.post, party, request.certificate));
        if (isLast) _record(id, 2, abi.encode(AgreementDisposed.selector, id));
    }

    function _recordCancelled(bytes32 agreement, uint32 version, bytes32 post, bytes32 reason) private {
        _record(agreement, 4, abi.encode(ProposalCancelled.selector, agreement, version, post, reason));
    }

    function _authorise(
        bytes32 post,
        address signer,
        uint32 anyOfRoles
    ) private view returns (bytes32 agency, uint32 number, uint32 roles) {
        return registry.authorise(post, signer, anyOfRoles);
    }

    function _load(bytes32 id) private view returns (Agreement memory agreement) {
        return _agreements[id];
    }

    // Checks

    function _checkTurn(Terms calldata terms, Agreement memory agreement) private pure {
        bytes32 id = terms.agreement;
        if (id == 0) revert ZeroValue("agreement");
        if (agreement.status != Status.NONE) {
            if (agreement.isPending) revert ProposalPending(id, agreement.activeVersion + 1);
            _checkOpen(id, agreement.status);
            if (agreement.disposed != 0) revert DisposalUnderWay(id);
        }
        uint32 expected = agreement.activeVersion + 1;
        if (terms.version != expected) revert VersionOutOfOrder(id, terms.version, expected);
    }

    function _checkPending(bytes32 id, uint32 version, Agreement memory agreement) private pure {
        if (!agreement.isPending || version != agreement.activeVersion + 1) revert NoProposalPending(id, version);
    }

    function _checkOpen(bytes32 id, Status status) private pure {
        if (status != Status.ACTIVE && status != Status.SUSPENDED) revert WrongStatus(id, status);
    }

    /// @dev After the end at once; otherwise once nothing may be shared any more and no amendment could change that.
    function _checkDisposable(bytes32 id, Agreement memory agreement) private view {
        if (agreement.status == Status.TERMINATED) return;
        _checkOpen(id, agreement.status);
        if (agreement.isPending) revert ProposalPending(id, agreement.activeVersion + 1);
        if (block.timestamp < agreement.windowsEnd) {
            revert DisposalTooEarly(id, agreement.windowsEnd, block.timestamp);
        }
    }

    /// @dev The provider's office head acts as such; any other post needs the role of a sharing authority.
    function _supervisor(
        bytes32 post,
        address signer,
        bytes32 id,
        uint32 activeVersion
    ) private view returns (bool byAuthority, uint32 roles) {
        bytes32 agency;
        uint32 number;
        uint32 wanted = Roles.PROVIDER_OFFICE_HEAD | Roles.SHARING_AUTHORITY;
        (agency, number, roles) = _authorise(post, signer, wanted);
        bool isProvider =
            roles & Roles.PROVIDER_OFFICE_HEAD != 0 && uint32(_version(id, activeVersion).firstNumbers) == number;
        if (!isProvider && roles & Roles.SHARING_AUTHORITY == 0) revert NotProvider(id, agency);
        return (!isProvider, roles);
    }
}
