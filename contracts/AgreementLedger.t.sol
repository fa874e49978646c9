// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgencyRegistry, IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {IAgreementLedger} from "./interfaces/IAgreementLedger.sol";
import {ICatalogue} from "./interfaces/ICatalogue.sol";
import {ISignedRequests} from "./interfaces/ISignedRequests.sol";
import {Roles} from "./libraries/Roles.sol";
import {AgreementWorld} from "./test/AgreementWorld.sol";
import {VM} from "./test/Vm.sol";

contract AgreementLedgerTest is AgreementWorld {
    function setUp() public {
        _deployWithAgencies();
    }

    // Proposing

    function test_propose_keepsHashPartiesAndTimes() public {
        IAgreementLedger.Terms memory terms = _termsOfThree(1);
        _propose(headA, terms);
        IAgreementLedger.VersionView memory version = agreements.versionOf(ID, 1);
        require(version.termsHash == agreements.hashTerms(terms) && agreements.isVersion(terms), "hash");
        require(version.status == IAgreementLedger.Status.PROPOSED && version.windowsEnd == START + 1000, "state");
        require(version.parties.length == 3 && version.parties[2] == requesterC, "parties");
        IAgreementLedger.AgreementView memory known = agreements.agreementOf(ID);
        require(known.status == IAgreementLedger.Status.PROPOSED, "status");
        require(known.pendingVersion == 1 && known.activeVersion == 0, "versions");
        require(agreements.isParty(ID, requesterC) && !agreements.isParty(ID, authority), "isParty");
        terms.text = keccak256("other");
        require(!agreements.isVersion(terms), "other terms");
    }

    function test_propose_failsIfProposerIsNotParty() public {
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.propose(headC, _terms(1));
    }

    function test_propose_failsIfSignerIsNotAnOfficeHead() public {
        VM.expectRevert(
            abi.encodeWithSelector(
                IPostAuthorityErrors.MissingRole.selector,
                deptHead,
                Roles.DEPT_HEAD,
                Roles.OFFICE_HEADS
            )
        );
        this.propose(deptHead, _terms(1));
    }

    function test_propose_startsWithVersionOne(uint32 version) public {
        VM.assume(version != 1);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.VersionOutOfOrder.selector, ID, version, uint32(1)));
        this.propose(headA, _terms(version));
    }

    function test_propose_failsWithAnIdThatIsTheHeadKeyOfAGrant() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.agreement = keccak256(abi.encode(requesterB, terms.grants[0].dataset)) >> 32;
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.AgreementIdReserved.selector, terms.agreement));
        this.propose(headA, terms);
        _propose(headA, _terms(1));
        require(agreements.heads(terms.agreement) == agreements.heads(ID), "one event in both");
    }

    function test_propose_failsForAPartyThatIsNotConcerned() public {
        IAgreementLedger.Terms memory terms = _termsOfThree(1);
        for (uint256 i = 0; i < terms.grants.length; ++i) terms.grants[i].recipient = requesterB;
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.ProposerNotConcerned.selector, 0, requesterB, requesterC)
        );
        this.propose(headC, terms);
        this.propose(headB, terms);
    }

    function test_suspend_byAnAuthorityTakesThePlaceOfTheProvidersOwn() public {
        _makeActive();
        _suspend(headA, ID);
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.WrongStatus.selector, ID, IAgreementLedger.Status.SUSPENDED)
        );
        this.suspend(headA);
        this.suspend(supervisor);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.SuspendedByAuthority.selector, ID));
        this.resume(headA);
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.WrongStatus.selector, ID, IAgreementLedger.Status.SUSPENDED)
        );
        this.suspend(supervisor);
        this.resume(supervisor);
    }

    function test_isParty_ofAnAmendmentCountsOnceItIsInForce() public {
        _makeActive();
        _propose(headA, _termsOfThree(2));
        require(!agreements.isParty(ID, requesterC), "named only");
        _signVersion(headA, ID, 2);
        _signVersion(headB, ID, 2);
        _signVersion(headC, ID, 2);
        require(agreements.isParty(ID, requesterC), "in force");
    }

    function test_propose_failsWhileAVersionWaits() public {
        _propose(headA, _terms(1));
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.ProposalPending.selector, ID, uint32(1)));
        this.propose(headB, _terms(1));
    }

    function test_propose_failsWithTooFewOrTooManyParties() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.parties = new bytes32[](1);
        terms.parties[0] = provider;
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.PartyCount.selector, 1, 2, 32));
        this.propose(headA, terms);
        terms.parties = new bytes32[](33);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.PartyCount.selector, 33, 2, 32));
        this.propose(headA, terms);
    }

    function test_propose_failsWithAPartyTwice() public {
        IAgreementLedger.Terms memory terms = _termsOfThree(1);
        terms.parties[2] = requesterB;
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.PartyTwice.selector, requesterB));
        this.propose(headA, terms);
    }

    function test_propose_failsWithAnUnknownParty() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.parties[1] = keccak256("unknown");
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.AgencyUnknown.selector, keccak256("unknown")));
        this.propose(headA, terms);
    }

    function test_propose_failsIfProviderIsNotFirst() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        (terms.parties[0], terms.parties[1]) = (requesterB, provider);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.ProviderNotFirst.selector, provider, requesterB));
        this.propose(headA, terms);
    }

    function test_propose_failsWithoutGrantsOrWithTooMany() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.grants = new IAgreementLedger.Grant[](0);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.GrantCount.selector, 0, 1, 255));
        this.propose(headA, terms);
        terms.grants = new IAgreementLedger.Grant[](256);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.GrantCount.selector, 256, 1, 255));
        this.propose(headA, terms);
    }

    function test_propose_failsForARecipientThatIsNoPartyOrTheProvider() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.grants[0].recipient = requesterC;
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.RecipientRefused.selector, 0, requesterC));
        this.propose(headA, terms);
        terms.grants[0].recipient = provider;
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.RecipientRefused.selector, 0, provider));
        this.propose(headA, terms);
    }

    function test_propose_checksDeliveryAndWindow(uint8 delivery, uint64 validFrom, uint64 validTo) public {
        IAgreementLedger.Terms memory terms = _terms(1);
        (terms.grants[0].delivery, terms.grants[0].validFrom, terms.grants[0].validTo) = (delivery, validFrom, validTo);
        if (delivery == 0 || delivery > 5) {
            VM.expectRevert(abi.encodeWithSelector(ISignedRequests.UnknownCode.selector, "delivery", delivery, 5));
        } else if ((validTo == 0 ? type(uint64).max : validTo) <= validFrom) {
            VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.EmptyWindow.selector, 0, validFrom, validTo));
        }
        this.propose(headA, terms);
        bool isProposed = _status() == IAgreementLedger.Status.PROPOSED;
        bool isSane = delivery > 0 && delivery < 6 && (validTo == 0 ? type(uint64).max : validTo) > validFrom;
        require(isProposed == isSane, "proposed exactly if sane");
    }

    function test_propose_failsForAnUnsharedOrWithdrawnOrForeignEntry() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        bytes32 dataset = terms.grants[0].dataset;
        terms.grants[0].datasetVersion = 9;
        VM.expectRevert(abi.encodeWithSelector(ICatalogue.EntryUnknown.selector, dataset, uint32(9)));
        this.propose(headA, terms);
        _publish(deptHead, "x", 2, 3, false);
        terms.grants[0].datasetVersion = 2;
        VM.expectRevert(
            abi.encodeWithSelector(ICatalogue.EntryNotShared.selector, dataset, uint32(2), uint32(2), keccak256("law"))
        );
        this.propose(headA, terms);
        _withdraw(deptHead, dataset, 1);
        terms.grants[0].datasetVersion = 1;
        VM.expectPartialRevert(ICatalogue.EntryIsWithdrawn.selector);
        this.propose(headA, terms);
        bytes32 deptB = _post(requesterB, "dept", Roles.DEPT_HEAD);
        _publish(deptB, "z", 1, 1, false);
        terms.grants[0].dataset = _dataset(requesterB, "z");
        VM.expectPartialRevert(ICatalogue.EntryOfAnotherAgency.selector);
        this.propose(headA, terms);
    }

    function test_propose_needsAReviewWhereAnEntryDoes() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        terms.grants[0] = _grant("y", requesterB);
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.ReviewRequired.selector, terms.grants[0].dataset, uint32(1))
        );
        this.propose(headA, terms);
        terms.review = keccak256("review");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.ReviewIncomplete.selector, terms.review, uint64(0)));
        this.propose(headA, terms);
        terms.reviewValidUntil = uint64(START + 10);
        _propose(headA, terms);
        require(agreements.versionOf(ID, 1).reviewValidUntil == START + 10, "review");
    }

    // Signing

    function test_sign_activatesWithTheLastParty() public {
        _propose(headA, _termsOfThree(1));
        _signVersion(headC, ID, 1);
        require(agreements.hasSigned(ID, 1, requesterC) && !agreements.hasSigned(ID, 1, provider), "signed");
        _signVersion(headA, ID, 1);
        require(_status() == IAgreementLedger.Status.PROPOSED, "not yet");
        VM.warp(START + 5);
        _signVersion(headB, ID, 1);
        require(_status() == IAgreementLedger.Status.ACTIVE, "active");
        require(agreements.hasSigned(ID, 1, provider) && !agreements.hasDisposed(ID, provider), "signed");
        require(agreements.agreementOf(ID).windowsEnd == START + 1000, "windows");
    }

    function test_sign_failsIfSignerIsNotParty() public {
        _propose(headA, _terms(1));
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.signVersion(headC, 1);
    }

    function test_sign_failsTwice() public {
        _propose(headA, _terms(1));
        _signVersion(headA, ID, 1);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.AlreadySigned.selector, ID, uint32(1), provider));
        this.signVersion(headA, 1);
    }

    function test_sign_failsForOtherTerms(bytes32 termsHash) public {
        _propose(headA, _terms(1));
        bytes32 expected = agreements.versionOf(ID, 1).termsHash;
        VM.assume(termsHash != expected);
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.TermsMismatch.selector, ID, uint32(1), termsHash, expected)
        );
        this.signTerms(headA, 1, termsHash);
    }

    function test_sign_failsWithoutAPendingVersion() public {
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NoProposalPending.selector, ID, uint32(1)));
        this.signTerms(headA, 1, 0);
        _makeActive();
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NoProposalPending.selector, ID, uint32(1)));
        this.signVersion(headA, 1);
    }

    function test_activation_failsWithAnExpiredReview() public {
        IAgreementLedger.Terms memory terms = _terms(1);
        (terms.review, terms.reviewValidUntil) = (keccak256("review"), uint64(START + 10));
        _propose(headA, terms);
        _signVersion(headA, ID, 1);
        VM.warp(START + 10);
        VM.expectRevert(
            abi.encodeWithSelector(
                IAgreementLedger.ReviewExpired.selector,
                ID,
                uint32(1),
                uint64(START + 10),
                START + 10
            )
        );
        this.signVersion(headB, 1);
        VM.warp(START + 9);
        _signVersion(headB, ID, 1);
        require(_status() == IAgreementLedger.Status.ACTIVE, "active");
    }

    function test_activation_failsOverAnEntryWithdrawnMeanwhile() public {
        _propose(headA, _terms(1));
        _signVersion(headA, ID, 1);
        bytes32 dataset = _dataset(provider, "x");
        _withdraw(deptHead, dataset, 1);
        VM.expectRevert(
            abi.encodeWithSelector(ICatalogue.EntryIsWithdrawn.selector, dataset, uint32(1), uint64(START))
        );
        this.signVersion(headB, 1);
    }

    function test_activation_failsOverAnEntryOfTheNegativeListMeanwhile() public {
        IAgreementLedger.Terms memory terms = _termsOfThree(1);
        (terms.review, terms.reviewValidUntil) = (keccak256("review"), LATER);
        terms.grants[1] = _grant("y", requesterC);
        _propose(headA, terms);
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _publish(deptHead, "y", 2, 3, false);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICatalogue.EntryNotShared.selector,
                _dataset(provider, "y"),
                uint32(1),
                uint32(2),
                keccak256("law")
            )
        );
        this.signVersion(headC, 1);
        require(_status() == IAgreementLedger.Status.PROPOSED, "still proposed");
    }

    function test_activation_checksEveryEntryOfALargeVersion(uint8 withdrawn) public {
        uint256 count = 20;
        withdrawn = uint8(withdrawn % count);
        IAgreementLedger.Terms memory terms = _termsOfThree(1);
        terms.grants = new IAgreementLedger.Grant[](count);
        for (uint256 i = 0; i < count; ++i) {
            string memory code = string(abi.encodePacked("many", i));
            _publish(deptHead, code, 1, 1, false);
            terms.grants[i] = _grant(code, i % 2 == 0 ? requesterB : requesterC);
        }
        _propose(headA, terms);
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _withdraw(deptHead, terms.grants[withdrawn].dataset, 1);
        VM.expectRevert(
            abi.encodeWithSelector(
                ICatalogue.EntryIsWithdrawn.selector,
                terms.grants[withdrawn].dataset,
                uint32(1),
                uint64(START)
            )
        );
        this.signVersion(headC, 1);
    }

    // Cancelling

    function test_cancel_endsAFirstVersionForGood() public {
        _propose(headA, _terms(1));
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.cancel(headC, 1);
        _cancel(headB, ID, 1);
        require(_status() == IAgreementLedger.Status.CANCELLED, "cancelled");
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.WrongStatus.selector, ID, IAgreementLedger.Status.CANCELLED)
        );
        this.propose(headA, _terms(1));
    }

    function test_cancel_ofAnAmendmentLeavesTheActiveVersion() public {
        _makeActive();
        _propose(headA, _terms(2));
        _cancel(headA, ID, 2);
        require(_status() == IAgreementLedger.Status.ACTIVE, "active");
        IAgreementLedger.Terms memory again = _terms(2);
        again.text = keccak256("other text");
        _propose(headB, again);
        _signVersion(headA, ID, 2);
        _signVersion(headB, ID, 2);
        require(agreements.agreementOf(ID).activeVersion == 2 && agreements.isVersion(again), "version 2");
    }

    // Amending

    function test_amend_countsOnceAllSignedAgain() public {
        _makeActive();
        _propose(headB, _termsOfThree(2));
        _signVersion(headB, ID, 2);
        _signVersion(headC, ID, 2);
        require(agreements.agreementOf(ID).activeVersion == 1, "version 1 still counts");
        _signVersion(headA, ID, 2);
        require(agreements.agreementOf(ID).activeVersion == 2, "version 2 counts");
        require(agreements.versionOf(ID, 1).parties.length == 2, "version 1 stays readable");
        require(agreements.isVersion(_terms(1)), "version 1 stays provable");
    }

    function test_amend_leavesASuspension() public {
        _makeActive();
        _suspend(supervisor, ID);
        _propose(headA, _terms(2));
        _signVersion(headA, ID, 2);
        _signVersion(headB, ID, 2);
        require(_status() == IAgreementLedger.Status.SUSPENDED, "suspended");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.SuspendedByAuthority.selector, ID));
        this.resume(headA);
    }

    function test_amend_failsFromANewcomer() public {
        _makeActive();
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.propose(headC, _termsOfThree(2));
    }

    function test_amend_failsIfAPartyIsDropped() public {
        _propose(headA, _termsOfThree(1));
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _signVersion(headC, ID, 1);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.PartyDropped.selector, ID, requesterC));
        this.propose(headA, _terms(2));
    }

    function test_amend_failsWithAnotherProvider() public {
        _makeActive();
        bytes32 deptB = _post(requesterB, "dept", Roles.DEPT_HEAD);
        _publish(deptB, "z", 1, 1, false);
        IAgreementLedger.Terms memory terms = _terms(2);
        (terms.provider, terms.parties[0], terms.parties[1]) = (requesterB, requesterB, provider);
        terms.grants[0] = _grant("z", provider);
        terms.grants[0].dataset = _dataset(requesterB, "z");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.ProviderChanged.selector, ID, provider, requesterB));
        this.propose(headA, terms);
    }

    // Suspending and resuming

    function test_suspend_byProviderIsResumedByProviderOrAuthority() public {
        _makeActive();
        _suspend(headA, ID);
        require(_status() == IAgreementLedger.Status.SUSPENDED, "suspended");
        _resume(headA, ID);
        _suspend(headA, ID);
        _resume(supervisor, ID);
        require(_status() == IAgreementLedger.Status.ACTIVE, "active");
    }

    function test_suspend_byAuthorityIsResumedByAuthorityOnly() public {
        _makeActive();
        _suspend(supervisor, ID);
        require(agreements.agreementOf(ID).suspendedByAuthority, "by authority");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.SuspendedByAuthority.selector, ID));
        this.resume(headA);
        _resume(supervisor, ID);
        require(!agreements.agreementOf(ID).suspendedByAuthority, "no longer");
    }

    function test_suspend_failsForARequesterOrAnotherProvider() public {
        _makeActive();
        VM.expectPartialRevert(IPostAuthorityErrors.MissingRole.selector);
        this.suspend(headB);
        bytes32 otherProvider = _post(requesterC, "provider", Roles.PROVIDER_OFFICE_HEAD);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotProvider.selector, ID, requesterC));
        this.suspend(otherProvider);
    }

    function test_suspend_countsAsTheProvidersOwnActIfItHoldsBothRoles() public {
        registry.setCapacities(provider, Roles.SHARING_AUTHORITY);
        bytes32 both = _post(provider, "both", Roles.PROVIDER_OFFICE_HEAD | Roles.SHARING_AUTHORITY);
        _makeActive();
        _suspend(both, ID);
        require(!agreements.agreementOf(ID).suspendedByAuthority, "as the provider");
    }

    function test_resume_failsForAProvidersPostThatIsAnAuthorityToo() public {
        registry.setCapacities(provider, Roles.SHARING_AUTHORITY);
        bytes32 both = _post(provider, "both", Roles.PROVIDER_OFFICE_HEAD | Roles.SHARING_AUTHORITY);
        _makeActive();
        _suspend(supervisor, ID);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.SuspendedByAuthority.selector, ID));
        this.resume(both);
    }

    // Ending

    function test_terminate_byPartyOrAuthorityEndsItForGood() public {
        _makeActive();
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.terminate(headC);
        _terminate(headB, ID);
        require(_status() == IAgreementLedger.Status.TERMINATED, "terminated");
        bytes memory refusal = abi.encodeWithSelector(
            IAgreementLedger.WrongStatus.selector,
            ID,
            IAgreementLedger.Status.TERMINATED
        );
        VM.expectRevert(refusal);
        this.terminate(supervisor);
        VM.expectRevert(refusal);
        this.suspend(supervisor);
        VM.expectRevert(refusal);
        this.resume(supervisor);
        VM.expectRevert(refusal);
        this.propose(headA, _terms(2));
    }

    function test_terminate_withdrawsTheVersionThatWaits() public {
        _makeActive();
        _propose(headA, _terms(2));
        _terminate(supervisor, ID);
        require(agreements.agreementOf(ID).pendingVersion == 0, "no version waits");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NoProposalPending.selector, ID, uint32(2)));
        this.signVersion(headA, 2);
    }

    function test_dispose_needsEveryRecipient() public {
        _propose(headA, _termsOfThree(1));
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _signVersion(headC, ID, 1);
        _terminate(headA, ID);
        _dispose(headC, ID);
        require(_status() == IAgreementLedger.Status.TERMINATED, "one is missing");
        require(agreements.hasDisposed(ID, requesterC) && !agreements.hasDisposed(ID, requesterB), "certified");
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.AlreadyCertified.selector, ID, requesterC));
        this.dispose(headC);
        _dispose(headB, ID);
        require(_status() == IAgreementLedger.Status.DISPOSED, "disposed");
    }

    function test_dispose_failsForTheProviderAndForStrangers() public {
        _makeActive();
        _terminate(headA, ID);
        bytes32 otherHead = _post(provider, "requester", Roles.REQUESTER_OFFICE_HEAD);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotRecipient.selector, ID, provider));
        this.dispose(otherHead);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.NotParty.selector, ID, requesterC));
        this.dispose(headC);
        VM.expectPartialRevert(IPostAuthorityErrors.MissingRole.selector);
        this.dispose(headA);
    }

    function test_dispose_ofALiveAgreementWaitsForTheWindowsEnd() public {
        _makeActive();
        VM.warp(START + 999);
        VM.expectRevert(
            abi.encodeWithSelector(IAgreementLedger.DisposalTooEarly.selector, ID, uint40(START + 1000), START + 999)
        );
        this.dispose(headB);
        VM.warp(START + 1000);
        _dispose(headB, ID);
        require(_status() == IAgreementLedger.Status.DISPOSED, "disposed");
    }

    function test_dispose_waitsForAVersionThatCouldExtendTheWindows() public {
        _makeActive();
        VM.warp(START + 1000);
        _propose(headA, _termsOfThree(2));
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.ProposalPending.selector, ID, uint32(2)));
        this.dispose(headB);
    }

    function test_dispose_onceBegunEndsAmending() public {
        _propose(headA, _termsOfThree(1));
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _signVersion(headC, ID, 1);
        VM.warp(START + 1000);
        _dispose(headB, ID);
        VM.expectRevert(abi.encodeWithSelector(IAgreementLedger.DisposalUnderWay.selector, ID));
        this.propose(headA, _termsOfThree(2));
    }

    function test_dispose_bindsRecipientsOfEarlierVersions() public {
        _propose(headA, _termsOfThree(1));
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
        _signVersion(headC, ID, 1);
        // Version 2 keeps C as a party but grants it nothing; the parties also change places.
        IAgreementLedger.Terms memory terms = _termsOfThree(2);
        (terms.parties[1], terms.parties[2]) = (requesterC, requesterB);
        terms.grants[1] = _grant("x", requesterB);
        _propose(headA, terms);
        _signVersion(headA, ID, 2);
        _signVersion(headB, ID, 2);
        _signVersion(headC, ID, 2);
        _terminate(headA, ID);
        _dispose(headB, ID);
        require(_status() == IAgreementLedger.Status.TERMINATED, "C received data");
        _dispose(headC, ID);
        require(_status() == IAgreementLedger.Status.DISPOSED, "disposed");
    }

    // External forms of the shared steps, so that a refusal is that of the last call.

    function propose(bytes32 post, IAgreementLedger.Terms calldata terms) external {
        _propose(post, terms);
    }

    function signVersion(bytes32 post, uint32 version) external {
        _signVersion(post, ID, version);
    }

    function signTerms(bytes32 post, uint32 version, bytes32 termsHash) external {
        _signTerms(post, ID, version, termsHash);
    }

    function cancel(bytes32 post, uint32 version) external {
        _cancel(post, ID, version);
    }

    function suspend(bytes32 post) external {
        _suspend(post, ID);
    }

    function resume(bytes32 post) external {
        _resume(post, ID);
    }

    function terminate(bytes32 post) external {
        _terminate(post, ID);
    }

    function dispose(bytes32 post) external {
        _dispose(post, ID);
    }
}
