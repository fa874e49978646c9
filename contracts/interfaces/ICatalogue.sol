// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IRunningHeads} from "./IRunningHeads.sol";
import {ISignedRequests} from "./ISignedRequests.sol";

/// @title Dataset entries by version, and what may be shared
/// @notice A dataset's id is `keccak256(abi.encode(agency, code))` of its owner, so nobody publishes for another agency.
/// @dev The negative list is the datasets whose newest entry is NOT_SHARED: no version of them can be granted.
interface ICatalogue is IRunningHeads, ISignedRequests {
    /// @notice A department head publishes the next version of a dataset's entry.
    struct PublishEntry {
        bytes32 post;
        bytes32 code;
        uint32 version;
        uint8 attribute;
        uint8 grade;
        bool reviewRequired;
        bytes32 law;
        bytes32 content;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A department head withdraws a version of an entry.
    struct WithdrawEntry {
        bytes32 post;
        bytes32 dataset;
        uint32 version;
        bytes32 reason;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice A version of an entry as it stands now; `withdrawnAt` 0 while it counts.
    struct Entry {
        bytes32 dataset;
        bytes32 law;
        bytes32 content;
        uint32 version;
        uint32 owner;
        uint8 attribute;
        uint8 grade;
        bool reviewRequired;
        uint64 publishedAt;
        uint64 withdrawnAt;
    }

    /// @notice A version of a dataset's entry was published.
    event EntryPublished(
        bytes32 indexed dataset,
        uint32 indexed version,
        bytes32 indexed agency,
        bytes32 post,
        bytes32 code,
        uint8 attribute,
        uint8 grade,
        bool reviewRequired,
        bytes32 law,
        bytes32 content
    );

    /// @notice A version of a dataset's entry was withdrawn.
    event EntryWithdrawn(bytes32 indexed dataset, uint32 indexed version, bytes32 post, bytes32 reason);

    /// @notice Versions are published one after another.
    error EntryVersionOutOfOrder(bytes32 dataset, uint32 version, uint32 expected);

    /// @notice An entry that is not shared cites the law that says so.
    error NotSharedNeedsLaw(bytes32 dataset, uint32 version);

    /// @notice No such version was published.
    error EntryUnknown(bytes32 dataset, uint32 version);

    /// @notice The dataset is another agency's.
    error EntryOfAnotherAgency(bytes32 dataset, bytes32 owner, bytes32 agency);

    /// @notice The version was withdrawn.
    error EntryIsWithdrawn(bytes32 dataset, uint32 version, uint64 withdrawnAt);

    /// @notice The dataset is on the negative list, by its version `notSharedVersion` and the law cited there.
    error EntryNotShared(bytes32 dataset, uint32 version, uint32 notSharedVersion, bytes32 law);

    /// @notice Publishes the next version of a dataset's entry. Any agency's DEPT_HEAD, for its own datasets.
    function publishEntryBySig(PublishEntry calldata request, address signer, bytes calldata signature) external;

    /// @notice Withdraws a version: it can no longer be granted. The owner's DEPT_HEAD.
    function withdrawEntryBySig(WithdrawEntry calldata request, address signer, bytes calldata signature) external;

    /// @notice Checks that a version may be granted by its owner now.
    /// @dev Reverts with EntryUnknown, EntryOfAnotherAgency, EntryIsWithdrawn or EntryNotShared.
    /// @param dataset The dataset.
    /// @param version Its version.
    /// @param owner The granting agency's number in the registry.
    /// @return number The entry's number in the order of publication, from 1.
    /// @return reviewRequired Whether it may be shared only with a security review.
    function grantable(
        bytes32 dataset,
        uint32 version,
        uint32 owner
    ) external view returns (uint32 number, bool reviewRequired);

    /// @notice Checks that entries, by their numbers, may still be granted.
    /// @dev Reverts with EntryIsWithdrawn or EntryNotShared, naming the first that may not.
    function checkStillGrantable(uint32[] calldata numbers) external view;

    /// @notice A version as it stands now; reverts with EntryUnknown.
    function entryOf(bytes32 dataset, uint32 version) external view returns (Entry memory entry);

    /// @notice A dataset's newest version (0: none), and the version that puts it on the negative list (0: none).
    function datasetOf(bytes32 dataset) external view returns (uint32 lastVersion, uint32 notSharedVersion);
}
