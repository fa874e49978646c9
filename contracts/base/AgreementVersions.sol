// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgencyRegistry} from "../interfaces/IAgencyRegistry.sol";
import {IAgreementLedger} from "../interfaces/IAgreementLedger.sol";
import {ICatalogue} from "../interfaces/ICatalogue.sol";

/// @title What may be proposed, and what is remembered of each version
/// @dev Parties and granted entries are remembered by their four-byte numbers in the registry and the catalogue: those
/// of two parties and one entry lie in the version's second slot. See docs/adr/0010-terms-by-hash-parties-by-number.md.
abstract contract AgreementVersions is IAgreementLedger {
    /// @dev Two slots. The parties' numbers, in the order of the terms, are followed by the granted entries'.
    struct Version {
        bytes32 termsHash;
        uint40 proposedAt;
        uint40 activatedAt;
        uint40 reviewValidUntil;
        uint8 partyCount;
        uint32 recipients; // Bit i: party i receives data under this version or one before it.
        uint96 firstNumbers;
    }

    /// @dev What the check of proposed terms finds.
    struct Draft {
        uint32[] numbers;
        uint256 count;
        uint256 partyCount;
        uint32 recipients;
        uint64 windowsEnd;
    }

    /// @notice The most parties of an agreement: one bit each.
    uint256 public constant MAX_PARTIES = 32;

    /// @notice The most grants of a version, so that the largest proposal fits the 30 million gas of one transaction.
    uint256 public constant MAX_GRANTS = 256;

    uint8 private constant LAST_DELIVERY = 5;
    uint256 private constant FIRST_NUMBERS = 3;
    uint256 private constant WORD_NUMBERS = 8;

    /// @notice Where posts and their keys are known.
    IAgencyRegistry public immutable registry;

    /// @notice Where datasets and their entries are known.
    ICatalogue public immutable catalogue;

    mapping(bytes32 agreement => mapping(uint32 version => Version known)) private _versions;
    /// @dev Numbers after the first three, eight in a word.
    mapping(bytes32 agreement => mapping(uint32 version => mapping(uint256 word => uint256 numbers)))
        private _moreNumbers;

    constructor(IAgencyRegistry registry_, ICatalogue catalogue_) {
        registry = registry_;
        catalogue = catalogue_;
    }

    function _store(Terms calldata terms, bytes32 termsHash, Draft memory draft) internal {
        uint256 first = 0;
        uint256 word = 0;
        for (uint256 i = 0; i < draft.count; ++i) {
            if (i < FIRST_NUMBERS) {
                first |= uint256(draft.numbers[i]) << (32 * i);
                continue;
            }
            uint256 place = (i - FIRST_NUMBERS) % WORD_NUMBERS;
            word |= uint256(draft.numbers[i]) << (32 * place);
            if (place == WORD_NUMBERS - 1 || i == draft.count - 1) {
                _moreNumbers[terms.agreement][terms.version][(i - FIRST_NUMBERS) / WORD_NUMBERS] = word;
                word = 0;
            }
        }
        _versions[terms.agreement][terms.version] = Version({
            termsHash: termsHash,
            proposedAt: uint40(block.timestamp),
            activatedAt: 0,
            reviewValidUntil: _toUint40(terms.reviewValidUntil),
            partyCount: uint8(draft.partyCount),
            recipients: draft.recipients,
            firstNumbers: uint96(first)
        });
    }

    /// @dev Checks again what may have changed since the proposal.
    function _activate(bytes32 id, uint32 number, Version memory version, uint256 entryCount) internal {
        uint64 validUntil = version.reviewValidUntil;
        if (validUntil != 0 && validUntil <= block.timestamp) {
            revert ReviewExpired(id, number, validUntil, block.timestamp);
        }
        uint32[] memory entries = new uint32[](entryCount);
        for (uint256 i = 0; i < entryCount; ++i) {
            entries[i] = _numberAt(id, number, version.firstNumbers, version.partyCount + i);
        }
        catalogue.checkStillGrantable(entries);
        _versions[id][number].activatedAt = uint40(block.timestamp);
    }

    /// @dev Checks proposed terms against the registry, the catalogue and the active version (0: there is none).
    function _check(
        Terms calldata terms,
        uint32 activeVersion,
        bytes32 agency,
        uint32 proposer
    ) internal view returns (Draft memory draft) {
        draft.numbers = new uint32[](terms.parties.length + terms.grants.length);
        _checkParties(terms, draft);
        if (_find(draft.numbers, draft.partyCount, proposer) == draft.partyCount) {
            revert NotParty(terms.agreement, agency);
        }
        _checkGrants(terms, draft);
        if (activeVersion != 0) _checkAmendment(terms, activeVersion, draft, agency, proposer);
    }

    function _version(bytes32 id, uint32 number) internal view returns (Version memory version) {
        return _versions[id][number];
    }

    function _partyIndex(
        bytes32 id,
        uint32 versionNumber,
        Version memory version,
        uint32 number,
        bytes32 agency
    ) internal view returns (uint256 index) {
        index = _indexOf(id, versionNumber, version, number);
        if (index == MAX_PARTIES) revert NotParty(id, agency);
    }

    /// @dev MAX_PARTIES if the agency is no party of the version.
    function _indexOf(
        bytes32 id,
        uint32 versionNumber,
        Version memory version,
        uint32 number
    ) internal view returns (uint256 index) {
        for (index = 0; index < version.partyCount; ++index) {
            if (_numberAt(id, versionNumber, version.firstNumbers, index) == number) return index;
        }
        return MAX_PARTIES;
    }

    function _numberAt(
        bytes32 id,
        uint32 version,
        uint96 firstNumbers,
        uint256 index
    ) internal view returns (uint32 number) {
        if (index < FIRST_NUMBERS) return uint32(firstNumbers >> (32 * index));
        uint256 place = index - FIRST_NUMBERS;
        return uint32(_moreNumbers[id][version][place / WORD_NUMBERS] >> (32 * (place % WORD_NUMBERS)));
    }

    /// @dev A date beyond the year 36,000 is as good as never.
    function _toUint40(uint64 time) internal pure returns (uint40 stored) {
        return time > type(uint40).max ? type(uint40).max : uint40(time);
    }

    function _checkParties(Terms calldata terms, Draft memory draft) private view {
        uint256 count = terms.parties.length;
        if (count < 2 || count > MAX_PARTIES) revert PartyCount(count, 2, MAX_PARTIES);
        if (terms.parties[0] != terms.provider) revert ProviderNotFirst(terms.provider, terms.parties[0]);
        for (uint256 i = 0; i < count; ++i) {
            uint32 number = registry.numberOf(terms.parties[i]);
            if (_find(draft.numbers, i, number) < i) revert PartyTwice(terms.parties[i]);
            draft.numbers[i] = number;
        }
        draft.partyCount = count;
        draft.count = count;
    }

    function _checkGrants(Terms calldata terms, Draft memory draft) private view {
        uint256 grants = terms.grants.length;
        if (grants == 0 || grants > MAX_GRANTS) revert GrantCount(grants, 1, MAX_GRANTS);
        if (terms.text == 0) revert ZeroValue("text");
        if ((terms.review == 0) != (terms.reviewValidUntil == 0)) {
            revert ReviewIncomplete(terms.review, terms.reviewValidUntil);
        }
        for (uint256 i = 0; i < grants; ++i) {
            Grant calldata grant = terms.grants[i];
            if (grant.delivery == 0 || grant.delivery > LAST_DELIVERY) {
                revert UnknownCode("delivery", grant.delivery, LAST_DELIVERY);
            }
            uint64 validTo = grant.validTo == 0 ? type(uint64).max : grant.validTo;
            if (validTo <= grant.validFrom) revert EmptyWindow(i, grant.validFrom, grant.validTo);
            if (validTo > draft.windowsEnd) draft.windowsEnd = validTo;
            draft.recipients |= uint32(1 << _recipientIndex(terms, i));
            _checkEntry(grant, terms.review != 0, draft);
        }
    }

    /// @dev Adds the entry's number, unless the grant before this one was of the same entry.
    function _checkEntry(Grant calldata grant, bool isReviewed, Draft memory draft) private view {
        (uint32 number, bool reviewRequired) = catalogue.grantable(
            grant.dataset,
            grant.datasetVersion,
            draft.numbers[0]
        );
        if (reviewRequired && !isReviewed) revert ReviewRequired(grant.dataset, grant.datasetVersion);
        uint256 count = draft.count;
        if (count > draft.partyCount && draft.numbers[count - 1] == number) return;
        draft.numbers[count] = number;
        draft.count = count + 1;
    }

    function _checkAmendment(
        Terms calldata terms,
        uint32 activeVersion,
        Draft memory draft,
        bytes32 agency,
        uint32 proposer
    ) private view {
        bytes32 id = terms.agreement;
        Version memory active = _version(id, activeVersion);
        _partyIndex(id, activeVersion, active, proposer, agency);
        for (uint256 i = 0; i < active.partyCount; ++i) {
            uint32 party = _numberAt(id, activeVersion, active.firstNumbers, i);
            uint256 index = _find(draft.numbers, draft.partyCount, party);
            if (i == 0 && index != 0) revert ProviderChanged(id, registry.agencyByNumber(party), terms.provider);
            if (index == draft.partyCount) revert PartyDropped(id, registry.agencyByNumber(party));
            if ((active.recipients >> i) & 1 == 1) draft.recipients |= uint32(1 << index);
        }
    }

    function _recipientIndex(Terms calldata terms, uint256 grant) private pure returns (uint256 index) {
        bytes32 recipient = terms.grants[grant].recipient;
        for (index = 1; index < terms.parties.length; ++index) {
            if (terms.parties[index] == recipient) return index;
        }
        revert RecipientRefused(grant, recipient);
    }

    /// @dev `count` if none of the first `count` numbers is it.
    function _find(uint32[] memory numbers, uint256 count, uint32 number) private pure returns (uint256 index) {
        while (index < count && numbers[index] != number) ++index;
    }
}
