// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {ISignedRequests} from "./interfaces/ISignedRequests.sol";
import {Roles} from "./libraries/Roles.sol";
import {VM} from "./test/Vm.sol";
import {World} from "./test/World.sol";

contract CatalogueTest is World {
    bytes32 private _agencyA;
    bytes32 private _agencyB;
    bytes32 private _postA;
    bytes32 private _postB;

    function setUp() public {
        _deploy();
        _agencyA = _agency("A", 0);
        _agencyB = _agency("B", 0);
        _postA = _post(_agencyA, "dept", Roles.DEPT_HEAD);
        _postB = _post(_agencyB, "dept", Roles.DEPT_HEAD);
    }

    function test_publish_keepsTheEntryUnderItsOwnersDataset() public {
        _publish(_postA, "x", 1, 2, true);
        bytes32 dataset = _dataset(_agencyA, "x");
        ICatalogue.Entry memory entry = catalogue.entryOf(dataset, 1);
        require(entry.dataset == dataset && entry.version == 1 && entry.owner == 1, "ids");
        require(entry.attribute == 2 && entry.grade == 1 && entry.reviewRequired, "codes");
        require(entry.publishedAt == START && entry.withdrawnAt == 0, "times");
        (uint32 number, bool reviewRequired) = catalogue.grantable(dataset, 1, 1);
        require(number == 1 && reviewRequired, "grantable");
    }

    function test_publish_failsIfSignerIsNotADeptHead() public {
        bytes32 post = _post(_agencyA, "head", Roles.PROVIDER_OFFICE_HEAD);
        VM.expectRevert(
            abi.encodeWithSelector(
                IPostAuthorityErrors.MissingRole.selector,
                post,
                Roles.PROVIDER_OFFICE_HEAD,
                Roles.DEPT_HEAD
            )
        );
        this.publish(post, "x", 1, 1);
    }

    function test_publish_takesVersionsOneAfterAnother(uint32 version) public {
        _publish(_postA, "x", 1, 1, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        if (version != 2) {
            VM.expectRevert(
                abi.encodeWithSelector(ICatalogue.EntryVersionOutOfOrder.selector, dataset, version, uint32(2))
            );
        }
        this.publish(_postA, "x", version, 1);
        (uint32 last, ) = catalogue.datasetOf(dataset);
        require(last == (version == 2 ? 2 : 1), "last version");
    }

    function test_publish_notSharedNeedsALaw(bytes32 law) public {
        ICatalogue.PublishEntry memory request = ICatalogue.PublishEntry({
            post: _postA,
            code: keccak256("x"),
            version: 1,
            attribute: 3,
            grade: 3,
            reviewRequired: false,
            law: law,
            content: 0,
            nonce: _nonce(),
            deadline: LATER
        });
        if (law == 0) {
            VM.expectRevert(
                abi.encodeWithSelector(ICatalogue.NotSharedNeedsLaw.selector, _dataset(_agencyA, "x"), uint32(1))
            );
        }
        this.publishEntry(request);
        (uint32 last, uint32 notShared) = catalogue.datasetOf(_dataset(_agencyA, "x"));
        require(last == notShared && last == (law == 0 ? 0 : 1), "negative list");
    }

    function test_publish_notSharedWithoutLawFails() public {
        test_publish_notSharedNeedsALaw(0);
    }

    function test_publish_failsWithUnknownCodes(uint8 attribute, uint8 grade) public {
        bool isKnown = attribute > 0 && attribute < 4 && grade > 0 && grade < 4;
        ICatalogue.PublishEntry memory request = ICatalogue.PublishEntry({
            post: _postA,
            code: keccak256("x"),
            version: 1,
            attribute: attribute,
            grade: grade,
            reviewRequired: false,
            law: keccak256("law"),
            content: 0,
            nonce: _nonce(),
            deadline: LATER
        });
        if (!isKnown) VM.expectPartialRevert(ISignedRequests.UnknownCode.selector);
        this.publishEntry(request);
        (uint32 last, ) = catalogue.datasetOf(_dataset(_agencyA, "x"));
        require(last == (isKnown ? 1 : 0), "published");
    }

    function test_grantable_failsForWhatWasNotPublished() public {
        bytes32 dataset = _dataset(_agencyA, "x");
        VM.expectRevert(abi.encodeWithSelector(ICatalogue.EntryUnknown.selector, dataset, uint32(1)));
        catalogue.grantable(dataset, 1, 1);
        VM.expectRevert(abi.encodeWithSelector(ICatalogue.EntryUnknown.selector, dataset, uint32(1)));
        catalogue.entryOf(dataset, 1);
    }

    function test_grantable_failsForAnotherAgencysDataset() public {
        _publish(_postA, "x", 1, 1, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        VM.expectRevert(abi.encodeWithSelector(ICatalogue.EntryOfAnotherAgency.selector, dataset, _agencyA, _agencyB));
        catalogue.grantable(dataset, 1, 2);
    }

    function test_withdraw_endsTheVersionOnly() public {
        _publish(_postA, "x", 1, 1, false);
        _publish(_postA, "x", 2, 1, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        _withdraw(_postA, dataset, 1);
        bytes memory refusal = abi.encodeWithSelector(
            ICatalogue.EntryIsWithdrawn.selector,
            dataset,
            uint32(1),
            uint64(START)
        );
        VM.expectRevert(refusal);
        catalogue.grantable(dataset, 1, 1);
        catalogue.grantable(dataset, 2, 1);
        VM.expectRevert(refusal);
        this.withdraw(_postA, dataset, 1);
    }

    function test_withdraw_failsForAnotherAgencysEntry() public {
        _publish(_postA, "x", 1, 1, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        VM.expectRevert(abi.encodeWithSelector(ICatalogue.EntryOfAnotherAgency.selector, dataset, _agencyA, _agencyB));
        this.withdraw(_postB, dataset, 1);
    }

    function test_negativeList_coversEveryVersionOfTheDataset() public {
        _publish(_postA, "x", 1, 1, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        uint32[] memory numbers = new uint32[](1);
        (numbers[0], ) = catalogue.grantable(dataset, 1, 1);
        catalogue.checkStillGrantable(numbers);
        _publish(_postA, "x", 2, 3, false);
        bytes memory refusal = abi.encodeWithSelector(
            ICatalogue.EntryNotShared.selector,
            dataset,
            uint32(1),
            uint32(2),
            keccak256("law")
        );
        VM.expectRevert(refusal);
        catalogue.grantable(dataset, 1, 1);
        VM.expectRevert(refusal);
        catalogue.checkStillGrantable(numbers);
        _publish(_postA, "x", 3, 2, false);
        catalogue.grantable(dataset, 1, 1);
        catalogue.checkStillGrantable(numbers);
        VM.expectRevert(
            abi.encodeWithSelector(ICatalogue.EntryNotShared.selector, dataset, uint32(2), uint32(2), keccak256("law"))
        );
        catalogue.grantable(dataset, 2, 1);
    }

    function test_negativeList_isLeftByANewVersionOnly() public {
        _publish(_postA, "x", 1, 1, false);
        _publish(_postA, "x", 2, 3, false);
        _publish(_postA, "x", 3, 3, false);
        bytes32 dataset = _dataset(_agencyA, "x");
        _withdraw(_postA, dataset, 3);
        VM.expectRevert(
            abi.encodeWithSelector(ICatalogue.EntryNotShared.selector, dataset, uint32(1), uint32(3), keccak256("law"))
        );
        catalogue.grantable(dataset, 1, 1);
        _publish(_postA, "x", 4, 1, false);
        catalogue.grantable(dataset, 1, 1);
    }

    // External forms of the shared steps, so that a refusal is that of the last call.

    function publish(bytes32 post, string calldata code, uint32 version, uint8 attribute) external {
        _publish(post, code, version, attribute, false);
    }

    function publishEntry(ICatalogue.PublishEntry calldata request) external {
        _publish(request);
    }

    function withdraw(bytes32 post, bytes32 dataset, uint32 version) external {
        _withdraw(post, dataset, version);
    }
}
