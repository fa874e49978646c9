// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RunningHeads} from "./base/RunningHeads.sol";
import {SignedRequests} from "./base/SignedRequests.sol";
import {IAgencyRegistry} from "./interfaces/IAgencyRegistry.sol";
import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {Roles} from "./libraries/Roles.sol";

/// @title Dataset entries by version, and what may be shared
/// @dev Entries are numbered, so that an agreement can remember each granted one in four bytes.
contract Catalogue is RunningHeads, SignedRequests, ICatalogue {
    struct Dataset {
        uint32 lastVersion;
        uint32 notSharedVersion;
    }

    bytes32 public constant PUBLISH_ENTRY_TYPEHASH = keccak256(
        "PublishEntry(bytes32 post,bytes32 code,uint32 version,uint8 attribute,uint8 grade,bool reviewRequired,"
        "bytes32 law,bytes32 content,uint256 nonce,uint64 deadline)"
    );
    bytes32 public constant WITHDRAW_ENTRY_TYPEHASH = keccak256(
        "WithdrawEntry(bytes32 post,bytes32 dataset,uint32 version,bytes32 reason,uint256 nonce,uint64 deadline)"
    );

    uint8 private constant NOT_SHARED = 3;
    uint8 private constant LAST_GRADE = 3;

    /// @notice Where posts and their keys are known.
    IAgencyRegistry public immutable registry;

    mapping(bytes32 dataset => Dataset known) private _datasets;
    mapping(bytes32 dataset => mapping(uint32 version => uint32 number)) private _numbers;
    mapping(uint32 number => Entry entry) private _entries;
    uint32 private _entryCount;

    constructor(IAgencyRegistry registry_) {
        registry = registry_;
    }

    /// @inheritdoc ICatalogue
    function publishEntryBySig(PublishEntry calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(PUBLISH_ENTRY_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 agency, uint32 owner, ) = registry.authorise(request.post, signer, Roles.DEPT_HEAD);
        bytes32 dataset = keccak256(abi.encode(agency, request.code));
        _checkEntry(dataset, request);

        uint32 number = ++_entryCount;
        _numbers[dataset][request.version] = number;
        _datasets[dataset] = Dataset(request.version, request.attribute == NOT_SHARED ? request.version : 0);
        _entries[number] = Entry({
            dataset: dataset,
            law: request.law,
            content: request.content,
            version: request.version,
            owner: owner,
            attribute: request.attribute,
            grade: request.grade,
            reviewRequired: request.reviewRequired,
            publishedAt: uint64(block.timestamp),
            withdrawnAt: 0
        });
        _recordPublished(dataset, agency, request);
    }

    /// @inheritdoc ICatalogue
    function withdrawEntryBySig(WithdrawEntry calldata request, address signer, bytes calldata signature) external {
        bytes32 structHash = keccak256(abi.encode(WITHDRAW_ENTRY_TYPEHASH, request));
        _consume(signer, structHash, request.nonce, request.deadline, signature);
        (bytes32 agency, uint32 owner, ) = registry.authorise(request.post, signer, Roles.DEPT_HEAD);
        Entry storage entry = _entries[_numberOf(request.dataset, request.version)];
        if (entry.owner != owner) {
            revert EntryOfAnotherAgency(request.dataset, registry.agencyByNumber(entry.owner), agency);
        }
        if (entry.withdrawnAt != 0) revert EntryIsWithdrawn(request.dataset, request.version, entry.withdrawnAt);

        entry.withdrawnAt = uint64(block.timestamp);
        bytes memory log = abi.encode(
            EntryWithdrawn.selector,
            request.dataset,
            request.version,
            request.post,
            request.reason
        );
        _recordEntry(request.dataset, request.version, _log(3, log));
    }

    /// @inheritdoc ICatalogue
    function grantable(
        bytes32 dataset,
        uint32 version,
        uint32 owner
    ) external view returns (uint32 number, bool reviewRequired) {
        number = _numberOf(dataset, version);
        Entry storage entry = _entries[number];
        if (entry.owner != owner) {
            revert EntryOfAnotherAgency(dataset, registry.agencyByNumber(entry.owner), registry.agencyByNumber(owner));
        }
        _checkShareable(dataset, entry);
        return (number, entry.reviewRequired);
    }

    /// @inheritdoc ICatalogue
    function checkStillGrantable(uint32[] calldata numbers) external view {
        for (uint256 i = 0; i < numbers.length; ++i) {
            Entry storage entry = _entries[numbers[i]];
            _checkShareable(entry.dataset, entry);
        }
    }

    /// @inheritdoc ICatalogue
    function entryOf(bytes32 dataset, uint32 version) external view returns (Entry memory entry) {
        return _entries[_numberOf(dataset, version)];
    }

    /// @inheritdoc ICatalogue
    function datasetOf(bytes32 dataset) external view returns (uint32 lastVersion, uint32 notSharedVersion) {
        Dataset storage known = _datasets[dataset];
        return (known.lastVersion, known.notSharedVersion);
    }

    function _recordPublished(bytes32 dataset, bytes32 agency, PublishEntry calldata request) private {
        bytes memory log = abi.encode(
            EntryPublished.selector,
            dataset,
            request.version,
            agency,
            request.post,
            request.code,
            request.attribute,
            request.grade,
            request.reviewRequired,
            request.law,
            request.content
        );
        _recordEntry(dataset, request.version, _log(4, log));
    }

    function _recordEntry(bytes32 dataset, uint32 version, bytes32 digest) private {
        _advance(keccak256(abi.encode(dataset, version)), digest);
        _advance(dataset, digest);
    }

    function _checkEntry(bytes32 dataset, PublishEntry calldata request) private view {
        if (request.code == 0) revert ZeroValue("code");
        uint32 expected = _datasets[dataset].lastVersion + 1;
        if (request.version != expected) revert EntryVersionOutOfOrder(dataset, request.version, expected);
        if (request.attribute == 0 || request.attribute > NOT_SHARED) {
            revert UnknownCode("attribute", request.attribute, NOT_SHARED);
        }
        if (request.grade == 0 || request.grade > LAST_GRADE) revert UnknownCode("grade", request.grade, LAST_GRADE);
        if (request.attribute == NOT_SHARED && request.law == 0) revert NotSharedNeedsLaw(dataset, request.version);
    }

    function _checkShareable(bytes32 dataset, Entry storage entry) private view {
        (uint32 version, uint64 withdrawnAt) = (entry.version, entry.withdrawnAt);
        if (withdrawnAt != 0) revert EntryIsWithdrawn(dataset, version, withdrawnAt);
        // A version that is not shared stays so, whatever became of later ones.
        if (entry.attribute == NOT_SHARED) revert EntryNotShared(dataset, version, version, entry.law);
        uint32 notShared = _datasets[dataset].notSharedVersion;
        if (notShared != 0) {
            revert EntryNotShared(dataset, version, notShared, _entries[_numbers[dataset][notShared]].law);
        }
    }

    function _numberOf(bytes32 dataset, uint32 version) private view returns (uint32 number) {
        number = _numbers[dataset][version];
        if (number == 0) revert EntryUnknown(dataset, version);
    }
}
