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

    /// @dev How often an agreement was amended: its active version is this + 1.
    mapping(bytes32 agreement => uint32 count) private _amendments;

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
        uint32 activeVersion = _checkTurn(terms.agreement, terms.version);
        _store(terms, termsHash, _check(terms, activeVersion, agency, proposer));
        _recordProposed(terms, termsHash, request.post);
    }

    /// @inheritdoc IAgreementLedger
    function signBySig(Sign calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(SIGN_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.OFFICE_HEADS);

        (bytes32 id, uint32 versionNumber) = (request.agreement, request.version);
        Version memory version = _pending(id, versionNumber);
        bytes32 termsHash = _termsHashes[id][versionNumber];
        if (request.termsHash != termsHash) revert TermsMismatch(id, versionNumber, request.termsHash, termsHash);
        uint256 bit = 1 << _partyIndex(id, versionNumber, version, number, party);
        if (version.marks & bit != 0) revert AlreadySigned(id, versionNumber, party);
        version.marks |= uint32(bit);
        bool isLast = version.marks == (1 << version.partyCount) - 1;
        if (isLast) _activate(id, versionNumber, version);
        _versions[id][versionNumber] = version;
        _recordSigned(request, party, signer, isLast);
    }

    /// @inheritdoc IAgreementLedger
    function cancelProposalBySig(CancelProposal calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(CANCEL_PROPOSAL_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.OFFICE_HEADS);
        Version memory version = _pending(request.agreement, request.version);
        _partyIndex(request.agreement, request.version, version, number, party);
        _versions[request.agreement][request.version].status = Status.CANCELLED;
        _recordCancelled(request.agreement, request.version, request.post, request.reason);
    }

    /// @inheritdoc IAgreementLedger
    function suspendBySig(Suspend calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(SUSPEND_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        Version storage current = _versions[request.agreement][_current(request.agreement)];
        // An authority's suspension takes the place of the provider's own, which the provider could lift at will.
        bool isProviders = current.status == Status.SUSPENDED && !current.suspendedByAuthority;
        Status needed = isProviders ? Status.SUSPENDED : Status.ACTIVE;
        (bool byAuthority, , ) = _supervisor(request.post, signer, request.agreement, current, needed);
        if (isProviders && !byAuthority) revert WrongStatus(request.agreement, Status.SUSPENDED);
        current.status = Status.SUSPENDED;
        current.suspendedByAuthority = byAuthority;
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
        Version storage current = _versions[request.agreement][_current(request.agreement)];
        (, uint32 number, uint32 roles) = _supervisor(
            request.post,
            signer,
            request.agreement,
            current,
            Status.SUSPENDED
        );
        // The provider does not lift what was imposed on it, even where one of its posts is an authority.
        bool isAuthority = roles & Roles.SHARING_AUTHORITY != 0 && uint32(current.firstNumbers) != number;
        if (current.suspendedByAuthority && !isAuthority) revert SuspendedByAuthority(request.agreement);
        current.status = Status.ACTIVE;
        current.suspendedByAuthority = false;
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
        bytes32 id = request.agreement;
        uint32 active = _current(id);
        Version memory version = _version(id, active);
        _checkOpen(id, version.status);
        if (roles & Roles.SHARING_AUTHORITY == 0) _partyIndex(id, active, version, number, agency);
        version.status = Status.TERMINATED;
        version.suspendedByAuthority = false;
        _versions[id][active] = version;
        _recordTermination(request, active + 1);
    }

    /// @inheritdoc IAgreementLedger
    function disposeBySig(Dispose calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(DISPOSE_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 party, uint32 number, ) = _authorise(request.post, signer, Roles.REQUESTER_OFFICE_HEAD);

        bytes32 id = request.agreement;
        uint32 active = _current(id);
        Version memory version = _version(id, active);
        _checkDisposable(id, active, version);
        uint256 index = _partyIndex(id, active, version, number, party);
        // The provider is member 0; the recipients follow.
        if (index == 0 || index > version.recipientCount) revert NotRecipient(id, party);
        if ((version.marks >> index) & 1 == 1) revert AlreadyCertified(id, party);
        version.marks |= uint32(1 << index);
        bool isLast = version.marks == ((1 << version.recipientCount) - 1) << 1;
        if (isLast) {
            version.status = Status.DISPOSED;
            version.suspendedByAuthority = false;
        }
        _versions[id][active] = version;
        _recordDisposal(request, party, isLast);
    }

    /// @inheritdoc IAgreementLedger
    function agreementOf(bytes32 agreement) external view returns (AgreementView memory known) {
        uint32 current = _current(agreement);
        Version memory version = _version(agreement, current);
        known.status = version.status;
        known.suspendedByAuthority = version.suspendedByAuthority;
        if (version.status == Status.PROPOSED) {
            known.pendingVersion = current;
        } else if (version.status != Status.NONE && version.status != Status.CANCELLED) {
            known.activeVersion = current;
            known.windowsEnd = version.windowsEnd;
            if (_versions[agreement][current + 1].status == Status.PROPOSED) known.pendingVersion = current + 1;
        }
    }

    /// @inheritdoc IAgreementLedger
    function versionOf(bytes32 agreement, uint32 version) external view returns (VersionView memory known) {
        Version memory found = _version(agreement, version);
        known.termsHash = _termsHashes[agreement][version];
        known.status = found.status;
        known.reviewValidUntil = found.reviewValidUntil;
        known.windowsEnd = found.windowsEnd;
        known.parties = new bytes32[](found.partyCount);
        for (uint256 i = 0; i < known.parties.length; ++i) {
            known.parties[i] = registry.agencyByNumber(_numberAt(agreement, version, found.firstNumbers, i));
        }
        known.recipientCount = found.recipientCount;
    }

    /// @inheritdoc IAgreementLedger
    function hasSigned(bytes32 agreement, uint32 version, bytes32 agency) external view returns (bool signed) {
        Version memory found = _version(agreement, version);
        uint256 index = _indexOf(agreement, version, found, registry.numberOf(agency));
        if (index == MAX_PARTIES) return false;
        return found.status == Status.PROPOSED ? (found.marks >> index) & 1 == 1 : _wasActivated(agreement, version);
    }

    /// @inheritdoc IAgreementLedger
    function hasDisposed(bytes32 agreement, bytes32 agency) external view returns (bool disposed) {
        uint32 current = _current(agreement);
        Version memory found = _version(agreement, current);
        uint256 index = _indexOf(agreement, current, found, registry.numberOf(agency));
        return index < MAX_PARTIES && _wasActivated(agreement, current) && (found.marks >> index) & 1 == 1;
    }

    /// @inheritdoc IAgreementParties
    function isParty(bytes32 agreement, bytes32 agency) external view returns (bool) {
        uint32 number = registry.agencyOf(agency).number;
        if (number == 0) return false;
        // Whom an amendment names is a party once it is in force, not while it waits.
        uint32 version = _current(agreement);
        Version memory found = _version(agreement, version);
        return found.status != Status.CANCELLED && _indexOf(agreement, version, found, number) < MAX_PARTIES;
    }

    /// @inheritdoc IAgreementLedger
    function isVersion(Terms calldata terms) external view returns (bool same) {
        return _termsHashes[terms.agreement][terms.version] == TermsHash.hash(terms);
    }

    /// @inheritdoc IAgreementLedger
    function hashTerms(Terms calldata terms) external pure returns (bytes32 termsHash) {
        return TermsHash.hash(terms);
    }

    // Workers

    /// @dev Puts a version in force, in memory. An amendment changes the terms, not the status.
    function _activate(bytes32 id, uint32 number, Version memory version) private {
        _checkActivation(id, number, version);
        version.marks = 0;
        version.status = Status.ACTIVE;
        if (number == 1) return;
        Version storage before = _versions[id][number - 1];
        version.status = before.status;
        version.suspendedByAuthority = before.suspendedByAuthority;
        _amendments[id] = number - 1;
    }

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
        Grant[] calldata grants = terms.grants;
        bytes32[] memory pairs = new bytes32[](grants.length);
        uint256 count = 0;
        for (uint256 i = 0; i < grants.length; ++i) {
            bytes32 pair = _pairKey(grants[i].recipient, grants[i].dataset);
            uint256 place = 0;
            while (place < count && pairs[place] != pair) ++place;
            if (place < count) continue;
            pairs[count++] = pair;
            _advance(pair, digest);
        }
    }

    /// @dev Four zero bytes and 28 of the hash: no agreement has such an id, so no two histories share a head.
    function _pairKey(bytes32 recipient, bytes32 dataset) private pure returns (bytes32) {
        return keccak256(abi.encode(recipient, dataset)) >> 32;
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

    /// @dev A version that waits ends with the agreement, and its event comes first.
    function _recordTermination(Terminate calldata request, uint32 next) private {
        bytes32 id = request.agreement;
        if (_versions[id][next].status == Status.PROPOSED) {
            _versions[id][next].status = Status.CANCELLED;
            _recordCancelled(id, next, request.post, request.reason);
        }
        _record(id, 3, abi.encode(AgreementTerminated.selector, id, request.post, request.reason));
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

    /// @dev The active version, or the first one while it is not active.
    function _current(bytes32 id) private view returns (uint32 version) {
        return _amendments[id] + 1;
    }

    function _pending(bytes32 id, uint32 number) private view returns (Version memory version) {
        version = _version(id, number);
        if (version.status != Status.PROPOSED) revert NoProposalPending(id, number);
    }

    function _wasActivated(bytes32 id, uint32 number) private view returns (bool) {
        Status status = _versions[id][number].status;
        return status != Status.NONE && status != Status.PROPOSED && status != Status.CANCELLED;
    }

    // Checks

    /// @dev Returns the version that the proposal would amend; 0 if it is the first.
    function _checkTurn(bytes32 id, uint32 version) private view returns (uint32 activeVersion) {
        if (id == 0) revert ZeroValue("agreement");
        if (_versions[id][1].status == Status.NONE) {
            if (version != 1) revert VersionOutOfOrder(id, version, 1);
            // Else proposals to a recipient about a dataset would be taken for the agreement's own.
            if (bytes4(id) == 0) revert AgreementIdReserved(id);
            return 0;
        }
        activeVersion = _current(id);
        Version storage current = _versions[id][activeVersion];
        if (current.status == Status.PROPOSED) revert ProposalPending(id, activeVersion);
        _checkOpen(id, current.status);
        _checkNonePending(id, activeVersion);
        if (current.marks != 0) revert DisposalUnderWay(id);
        if (version != activeVersion + 1) revert VersionOutOfOrder(id, version, activeVersion + 1);
    }

    function _checkNonePending(bytes32 id, uint32 active) private view {
        if (_versions[id][active + 1].status == Status.PROPOSED) revert ProposalPending(id, active + 1);
    }

    function _checkOpen(bytes32 id, Status status) private pure {
        if (status != Status.ACTIVE && status != Status.SUSPENDED) revert WrongStatus(id, status);
    }

    /// @dev After the end at once; otherwise once nothing may be shared any more and no amendment could change that.
    function _checkDisposable(bytes32 id, uint32 active, Version memory version) private view {
        if (version.status == Status.TERMINATED) return;
        _checkOpen(id, version.status);
        _checkNonePending(id, active);
        if (block.timestamp < version.windowsEnd) revert DisposalTooEarly(id, version.windowsEnd, block.timestamp);
    }

    /// @dev The provider's office head acts as such; any other post needs the role of a sharing authority.
    function _supervisor(
        bytes32 post,
        address signer,
        bytes32 id,
        Version storage current,
        Status needed
    ) private view returns (bool byAuthority, uint32 number, uint32 roles) {
        bytes32 agency;
        uint32 wanted = Roles.PROVIDER_OFFICE_HEAD | Roles.SHARING_AUTHORITY;
        (agency, number, roles) = _authorise(post, signer, wanted);
        if (current.status != needed) revert WrongStatus(id, current.status);
        bool isProvider = roles & Roles.PROVIDER_OFFICE_HEAD != 0 && uint32(current.firstNumbers) == number;
        if (!isProvider && roles & Roles.SHARING_AUTHORITY == 0) revert NotProvider(id, agency);
        return (!isProvider, number, roles);
    }
}
