// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgencyRegistry} from "../interfaces/IAgencyRegistry.sol";
import {IAgreementLedger} from "../interfaces/IAgreementLedger.sol";
import {ICatalogue} from "../interfaces/ICatalogue.sol";

/// @title What may be proposed, and what is remembered of each version
/// @dev Parties and granted entries are remembered by their four-byte numbers in the registry and the catalogue: those
/// of two parties and one entry lie in the version's own slot. See docs/adr/0010-terms-by-hash-parties-by-number.md.
abstract contract AgreementVersions is IAgreementLedger {
    /// @dev One slot. Its members are, in this order: the provider, the recipients, the other parties; then come the
    /// granted entries.
    struct Version {
        Status status; // PROPOSED while it waits for signatures; the agreement's own while it is the active version.
        bool suspendedByAuthority;
        uint8 partyCount;
        uint8 recipientCount; // Of this version or one before it.
        uint8 entryCount;
        uint32 marks; // Bit i: member i signed (while PROPOSED), or certified disposal (afterwards).
        uint40 reviewValidUntil;
        uint40 windowsEnd;
        uint96 firstNumbers;
    }

    /// @dev What the check of proposed terms finds. `parties` are numbers in the order of the terms.
    struct Draft {
        uint32[] parties;
        uint32 recipients; // Bit i: party i, in the order of the terms, is a recipient.
        uint32[] entries;
        uint256 entryCount;
        uint64 windowsEnd;
    }

    /// @notice The most parties of an agreement: one bit each.
    uint256 public constant MAX_PARTIES = 32;

    /// @notice The most grants of a version, so that the largest proposal fits the 30 million gas of one transaction.
    uint256 public constant MAX_GRANTS = 255;

    uint8 private constant LAST_DELIVERY = 5;
    uint256 private constant FIRST_NUMBERS = 3;
    uint256 private constant WORD_NUMBERS = 8;

    /// @notice Where posts and their keys are known.
    IAgencyRegistry public immutable registry;

    /// @notice Where datasets and their entries are known.
    ICatalogue public immutable catalogue;

    mapping(bytes32 agreement => mapping(uint32 version => Version known)) internal _versions;
    mapping(bytes32 agreement => mapping(uint32 version => bytes32 termsHash)) internal _termsHashes;
    /// @dev Numbers after the first three, eight in a word.
    mapping(bytes32 agreement => mapping(uint32 version => mapping(uint256 word => uint256 numbers)))
        private _moreNumbers;

    constructor(IAgencyRegistry registry_, ICatalogue catalogue_) {
        registry = registry_;
        catalogue = catalogue_;
    }

    /// @dev Checks proposed terms against the registry, the catalogue and the active version (0: there is none).
    function _check(
        Terms calldata terms,
        uint32 activeVersion,
        bytes32 agency,
        uint32 proposer
    ) internal view returns (Draft memory draft) {
        _checkParties(terms, draft);
        if (_find(draft.parties, draft.parties.length, proposer) == draft.parties.length) {
            revert NotParty(terms.agreement, agency);
        }
        _checkGrants(terms, draft);
        if (activeVersion != 0)
            _checkAmendment(terms, activeVersion, draft, agency, proposer);
            // A third party would otherwise fill the histories of a recipient and a dataset that are not its business.
        else if (proposer != draft.parties[0]) _checkConcerned(terms, agency);
    }

    function _store(Terms calldata terms, bytes32 termsHash, Draft memory draft) internal {
        (uint32[] memory numbers, uint256 recipientCount) = _members(draft);
        uint256 first = 0;
        uint256 word = 0;
        for (uint256 i = 0; i < numbers.length; ++i) {
            if (i < FIRST_NUMBERS) {
                first |= uint256(numbers[i]) << (32 * i);
                continue;
            }
            uint256 place = (i - FIRST_NUMBERS) % WORD_NUMBERS;
            word |= uint256(numbers[i]) << (32 * place);
            if (place == WORD_NUMBERS - 1 || i == numbers.length - 1) {
                _moreNumbers[terms.agreement][terms.version][(i - FIRST_NUMBERS) / WORD_NUMBERS] = word;
                word = 0;
            }
        }
        _termsHashes[terms.agreement][terms.version] = termsHash;
        _versions[terms.agreement][terms.version] = Version({
            status: Status.PROPOSED,
            suspendedByAuthority: false,
            partyCount: uint8(draft.parties.length),
            recipientCount: uint8(recipientCount),
            entryCount: uint8(draft.entryCount),
            marks: 0,
            reviewValidUntil: _toUint40(terms.reviewValidUntil),
            windowsEnd: _toUint40(draft.windowsEnd),
            firstNumbers: uint96(first)
        });
    }

    /// @dev Checks again what may have changed since the proposal.
    function _checkActivation(bytes32 id, uint32 number, Version memory version) internal view {
        uint64 validUntil = version.reviewValidUntil;
        if (validUntil != 0 && validUntil <= block.timestamp) {
            revert ReviewExpired(id, number, validUntil, block.timestamp);
        }
        uint32[] memory entries = new uint32[](version.entryCount);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = _numberAt(id, number, version.firstNumbers, version.partyCount + i);
        }
        catalogue.checkStillGrantable(entries);
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
        uint256 count = version.partyCount;
        for (index = 0; index < count; ++index) {
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

    function _checkParties(Terms calldata terms, Draft memory draft) private view {
        bytes32[] calldata parties = terms.parties;
        uint256 count = parties.length;
        if (count < 2 || count > MAX_PARTIES) revert PartyCount(count, 2, MAX_PARTIES);
        if (parties[0] != terms.provider) revert ProviderNotFirst(terms.provider, parties[0]);
        draft.parties = registry.numbersOf(parties);
        for (uint256 i = 1; i < count; ++i) {
            if (_find(draft.parties, i, draft.parties[i]) < i) revert PartyTwice(parties[i]);
        }
    }

    function _checkConcerned(Terms calldata terms, bytes32 proposer) private pure {
        for (uint256 i = 0; i < terms.grants.length; ++i) {
            if (terms.grants[i].recipient != proposer)
                revert ProposerNotConcerned(i, terms.grants[i].recipient, proposer);
        }
    }

    function _checkGrants(Terms calldata terms, Draft memory draft) private view {
        Grant[] calldata grants = terms.grants;
        uint256 count = grants.length;
        if (count == 0 || count > MAX_GRANTS) revert GrantCount(count, 1, MAX_GRANTS);
        if (terms.text == 0) revert ZeroValue("text");
        bool isReviewed = terms.review != 0;
        if (isReviewed != (terms.reviewValidUntil != 0)) {
            revert ReviewIncomplete(terms.review, terms.reviewValidUntil);
        }
        draft.entries = new uint32[](count);
        for (uint256 i = 0; i < count; ++i) {
            Grant calldata grant = grants[i];
            if (grant.delivery == 0 || grant.delivery > LAST_DELIVERY) {
                revert UnknownCode("delivery", grant.delivery, LAST_DELIVERY);
            }
            (uint64 validFrom, uint64 validTo) = (grant.validFrom, grant.validTo);
            if (validTo == 0) validTo = type(uint64).max;
            if (validTo <= validFrom) revert EmptyWindow(i, validFrom, grant.validTo);
            if (validTo > draft.windowsEnd) draft.windowsEnd = validTo;
            draft.recipients |= uint32(1 << _recipientIndex(terms.parties, grant.recipient, i));
            _checkEntry(grant, isReviewed, draft);
        }
    }

    /// @dev Adds the entry's number, unless the grant before this one was of the same entry.
    function _checkEntry(Grant calldata grant, bool isReviewed, Draft memory draft) private view {
        (bytes32 dataset, uint32 version) = (grant.dataset, grant.datasetVersion);
        (uint32 number, bool reviewRequired) = catalogue.grantable(dataset, version, draft.parties[0]);
        if (reviewRequired && !isReviewed) revert ReviewRequired(dataset, version);
        uint256 count = draft.entryCount;
        if (count > 0 && draft.entries[count - 1] == number) return;
        draft.entries[count] = number;
        draft.entryCount = count + 1;
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
        uint256 count = draft.parties.length;
        for (uint256 i = 0; i < active.partyCount; ++i) {
            uint32 party = _numberAt(id, activeVersion, active.firstNumbers, i);
            uint256 index = _find(draft.parties, count, party);
            if (i == 0 && index != 0) revert ProviderChanged(id, registry.agencyByNumber(party), terms.provider);
            if (index == count) revert PartyDropped(id, registry.agencyByNumber(party));
            if (i > 0 && i <= active.recipientCount) draft.recipients |= uint32(1 << index);
        }
    }

    /// @dev The numbers to remember: provider, recipients, other parties, entries.
    function _members(Draft memory draft) private pure returns (uint32[] memory numbers, uint256 recipientCount) {
        uint256 parties = draft.parties.length;
        numbers = new uint32[](parties + draft.entryCount);
        numbers[0] = draft.parties[0];
        uint256 count = 1;
        for (uint256 i = 1; i < parties; ++i) {
            if ((draft.recipients >> i) & 1 == 1) numbers[count++] = draft.parties[i];
        }
        recipientCount = count - 1;
        for (uint256 i = 1; i < parties; ++i) {
            if ((draft.recipients >> i) & 1 == 0) numbers[count++] = draft.parties[i];
        }
        for (uint256 i = 0; i < draft.entryCount; ++i) numbers[count++] = draft.entries[i];
    }

    function _recipientIndex(
        bytes32[] calldata parties,
        bytes32 recipient,
        uint256 grant
    ) private pure returns (uint256 index) {
        for (index = 1; index < parties.length; ++index) {
            if (parties[index] == recipient) return index;
        }
        revert RecipientRefused(grant, recipient);
    }

    /// @dev `count` if none of the first `count` numbers is it.
    function _find(uint32[] memory numbers, uint256 count, uint32 number) private pure returns (uint256 index) {
        while (index < count && numbers[index] != number) ++index;
    }

    /// @dev A date beyond the year 36,000 is as good as never.
    function _toUint40(uint64 time) private pure returns (uint40 stored) {
        return time > type(uint40).max ? type(uint40).max : uint40(time);
    }
}
