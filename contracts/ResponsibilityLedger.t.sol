// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ResponsibilityLedger} from "./ResponsibilityLedger.sol";
import {IAgreementParties} from "./interfaces/IAgreementParties.sol";
import {IResponsibilityLedger} from "./interfaces/IResponsibilityLedger.sol";
import {Duties} from "./libraries/Duties.sol";
import {Roles} from "./libraries/Roles.sol";
import {VM, Vm} from "./test/Vm.sol";
import {World} from "./test/World.sol";

/// @title Posts, signatures and short words for the ledger of responsibilities
abstract contract ResponsibilityWorld is World {
    uint8 internal constant DELIVER = 3;
    bytes32 internal constant FIRST = keccak256("first");
    bytes32 internal constant SECOND = keccak256("second");

    ResponsibilityLedger internal duties;
    bytes32 internal agency;
    bytes32 internal stranger;
    bytes32 internal office;
    bytes32 internal dept;
    bytes32 internal clerk;
    bytes32 internal outsider;
    bytes32 internal dataset;

    function _deployDuties() internal {
        _deploy();
        duties = new ResponsibilityLedger(registry, catalogue, IAgreementParties(address(agreements)));
        agency = _agency("owner", 0);
        stranger = _agency("stranger", 0);
        office = _post(agency, "office", Roles.PROVIDER_OFFICE_HEAD);
        dept = _post(agency, "dept", Roles.DEPT_HEAD);
        clerk = _post(agency, "clerk", Roles.REPORTER);
        outsider = _post(stranger, "outsider", Roles.PROVIDER_OFFICE_HEAD);
        _publish(dept, "code", 1, 1, false);
        dataset = _dataset(agency, "code");
    }

    function _assignment(
        bytes32 id,
        bytes32 assignee,
        uint8 role,
        uint16 shareBps,
        uint64 validFrom,
        uint64 validTo
    ) internal returns (IResponsibilityLedger.Assign memory) {
        return
            IResponsibilityLedger.Assign({
                post: office,
                assignment: id,
                duty: DELIVER,
                objectKind: Duties.DATASET,
                object: dataset,
                assignee: assignee,
                role: role,
                shareBps: shareBps,
                validFrom: validFrom,
                validTo: validTo,
                basis: REASON,
                nonce: _nonce(),
                deadline: LATER
            });
    }

    function _assign(IResponsibilityLedger.Assign memory request) internal {
        bytes32 structHash = keccak256(abi.encode(duties.ASSIGN_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(request.post), address(duties), structHash);
        duties.assignBySig(request, VM.addr(_keyOf(request.post)), signature);
    }

    function _accept(bytes32 post, bytes32 id) internal {
        bytes32 content = duties.assignmentOf(id).content;
        IResponsibilityLedger.Accept memory request = IResponsibilityLedger.Accept(post, id, content, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(duties.ACCEPT_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(duties), structHash);
        duties.acceptBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _handOver(bytes32 post, bytes32 id, bytes32 successor, bytes32 toPost, uint64 at) internal {
        IResponsibilityLedger.HandOver memory request = IResponsibilityLedger.HandOver(
            post,
            id,
            successor,
            toPost,
            at,
            REASON,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(duties.HAND_OVER_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(duties), structHash);
        duties.handOverBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _vacate(bytes32 post, bytes32 id, uint64 at) internal {
        IResponsibilityLedger.Vacate memory request = IResponsibilityLedger.Vacate(
            post,
            id,
            at,
            REASON,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(duties.VACATE_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(duties), structHash);
        duties.vacateBySig(request, VM.addr(_keyOf(post)), signature);
    }
}

/// @title An agreement to which every agency is a party
contract EveryonesAgreement is IAgreementParties {
    function isParty(bytes32, bytes32) external pure returns (bool) {
        return true;
    }
}

contract ResponsibilityLedgerTest is ResponsibilityWorld {
    function setUp() public {
        _deployDuties();
    }

    // As calls to itself, so that a revert is one call deep.

    function assign(IResponsibilityLedger.Assign calldata request) external {
        _assign(request);
    }

    function accept(bytes32 post, bytes32 id) external {
        _accept(post, id);
    }

    function handOver(bytes32 post, bytes32 id, bytes32 successor, bytes32 toPost, uint64 at) external {
        _handOver(post, id, successor, toPost, at);
    }

    function vacate(bytes32 post, bytes32 id, uint64 at) external {
        _vacate(post, id, at);
    }

    function test_assign_recordsAllItsFieldsInTheHeadOfDutyAndObject() public {
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, clerk, 2, 2500, 10, 0);
        VM.recordLogs();
        _assign(request);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics.length == 4, "one event");
        require(logs[0].topics[0] == IResponsibilityLedger.ResponsibilityAssigned.selector, "event");
        require(logs[0].topics[1] == FIRST && logs[0].topics[2] == dataset, "topics");
        require(logs[0].topics[3] == bytes32(uint256(DELIVER)), "duty");
        bytes memory expected = abi.encode(office, Duties.DATASET, clerk, 2, 2500, 10, 0, REASON, bytes32(0));
        require(keccak256(logs[0].data) == keccak256(expected), "data");
        bytes32 key = keccak256(abi.encode(DELIVER, dataset));
        bytes32 digest = keccak256(abi.encodePacked(logs[0].topics, logs[0].data));
        require(duties.heads(key) == keccak256(abi.encode(bytes32(0), block.number, block.timestamp, digest)), "head");
    }

    function test_accept_makesItCount() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        require(duties.acceptedOf(DELIVER, dataset).length == 0, "not yet");
        _accept(clerk, FIRST);
        bytes32[] memory accepted = duties.acceptedOf(DELIVER, dataset);
        require(accepted.length == 1 && accepted[0] == FIRST, "accepted");
        IResponsibilityLedger.Assignment memory found = duties.assignmentOf(FIRST);
        require(found.status == IResponsibilityLedger.AssignmentStatus.ACCEPTED, "status");
        require(found.validFrom == 10 && found.validTo == type(uint64).max, "interval");
    }

    function test_accept_failsIfThePostIsNotTheAssignee() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.NotTheAssignee.selector, FIRST, office, clerk));
        this.accept(office, FIRST);
    }

    function test_accept_failsTheSecondTime() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        _accept(clerk, FIRST);
        VM.expectRevert(
            abi.encodeWithSelector(
                IResponsibilityLedger.AssignmentNotInStatus.selector,
                FIRST,
                IResponsibilityLedger.AssignmentStatus.ACCEPTED,
                IResponsibilityLedger.AssignmentStatus.PROPOSED
            )
        );
        this.accept(clerk, FIRST);
    }

    function testFuzz_accept_refusesASecondLeadIfAndOnlyIfTheIntervalsMeet(
        uint64 from1,
        uint64 to1,
        uint64 from2,
        uint64 to2
    ) public {
        (from1, to1) = _interval(from1, to1);
        (from2, to2) = _interval(from2, to2);
        _assign(_assignment(FIRST, clerk, Duties.LEAD, 0, from1, to1));
        _assign(_assignment(SECOND, dept, Duties.LEAD, 0, from2, to2));
        _accept(clerk, FIRST);
        bool meet = from1 < to2 && from2 < to1;
        if (meet) {
            VM.expectRevert(
                abi.encodeWithSelector(IResponsibilityLedger.LeadExists.selector, SECOND, FIRST, from1, to1)
            );
        }
        this.accept(dept, SECOND);
    }

    function test_accept_takesSharesUpToTheWholeAndNoMore() public {
        _assign(_assignment(FIRST, clerk, 2, 6000, 10, 0));
        _accept(clerk, FIRST);
        _assign(_assignment(SECOND, dept, 2, 4001, 20, 30));
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.SharesExceeded.selector, SECOND, 20, 10001));
        this.accept(dept, SECOND);
        bytes32 third = keccak256("third");
        _assign(_assignment(third, dept, 2, 4000, 20, 30));
        this.accept(dept, third);
    }

    function test_accept_addsOnlySharesThatMeet() public {
        _assign(_assignment(FIRST, clerk, 2, 10000, 10, 20));
        _accept(clerk, FIRST);
        _assign(_assignment(SECOND, clerk, 2, 10000, 20, 30));
        _accept(clerk, SECOND);
        bytes32 third = keccak256("third");
        _assign(_assignment(third, dept, 2, 1, 5, 25));
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.SharesExceeded.selector, third, 10, 10001));
        this.accept(dept, third);
    }

    function test_accept_failsOnceAnAgencyUsedUpItsPartOfADuty() public {
        for (uint64 i = 0; i < duties.ACCEPTED_OF_AGENCY_MAX(); i++) {
            bytes32 id = keccak256(abi.encode(i));
            _assign(_assignment(id, clerk, 1, 10000, i + 1, i + 2));
            _accept(clerk, id);
        }
        _assign(_assignment(FIRST, clerk, 1, 10000, 5000, 5001));
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.DutyFull.selector, DELIVER, dataset, 32));
        this.accept(clerk, FIRST);
    }

    function test_accept_countsSupportWithoutAShareTowardsNoLimit() public {
        for (uint64 i = 0; i <= duties.ACCEPTED_OF_AGENCY_MAX(); i++) {
            bytes32 id = keccak256(abi.encode(i));
            _assign(_assignment(id, clerk, 2, 0, 10, 0));
            _accept(clerk, id);
        }
        require(duties.acceptedOf(DELIVER, dataset).length == 0, "none of them limits another");
        _assign(_assignment(FIRST, clerk, 1, 10000, 10, 0));
        _accept(clerk, FIRST);
    }

    /// @dev The most that one acceptance can cost: as many overlapping shares as there may be.
    function test_accept_ofTheLastShareFitsATransaction() public {
        uint256 count = duties.ACCEPTED_MAX();
        IAgreementParties everyones = new EveryonesAgreement();
        duties = new ResponsibilityLedger(registry, catalogue, everyones);
        for (uint256 i = 0; i < count; i++) {
            bytes32 id = keccak256(abi.encode("share", i));
            IResponsibilityLedger.Assign memory request = _assignment(id, clerk, 2, 1, uint64(i + 1), 0);
            (request.objectKind, request.object) = (Duties.AGREEMENT, keccak256("agreement"));
            if (i % duties.ACCEPTED_OF_AGENCY_MAX() == 0) {
                office = _post(_agency(string(abi.encode(id)), 0), "office", Roles.PROVIDER_OFFICE_HEAD);
            }
            request.post = office;
            _assign(request);
            uint256 before = gasleft();
            _accept(clerk, id);
            require(before - gasleft() < 7_000_000, "beyond what a relayed transaction may use");
        }
    }

    function test_accept_failsIfAnotherAssignmentStandsUnderTheId() public {
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, clerk, 1, 0, 10, 0);
        _assign(request);
        bytes32 content = keccak256("what the clerk was shown");
        IResponsibilityLedger.Accept memory taken = IResponsibilityLedger.Accept(
            clerk,
            FIRST,
            content,
            _nonce(),
            LATER
        );
        bytes memory signature = _sign(
            _keyOf(clerk),
            address(duties),
            keccak256(abi.encode(duties.ACCEPT_TYPEHASH(), taken))
        );
        bytes memory expected = abi.encodeWithSelector(
            IResponsibilityLedger.AssignmentDiffers.selector,
            FIRST,
            content,
            duties.assignmentOf(FIRST).content
        );
        address signer = VM.addr(_keyOf(clerk));
        VM.expectRevert(expected);
        duties.acceptBySig(taken, signer, signature);
    }

    function test_vacate_failsBackwardsWhoeverAsks() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        _accept(clerk, FIRST);
        VM.expectRevert(
            abi.encodeWithSelector(IResponsibilityLedger.EndReachesBack.selector, FIRST, 10, block.timestamp)
        );
        this.vacate(office, FIRST, 10);
        VM.expectRevert(
            abi.encodeWithSelector(IResponsibilityLedger.EndReachesBack.selector, FIRST, 10, block.timestamp)
        );
        this.handOver(office, FIRST, SECOND, dept, 10);
    }

    function test_end_failsForAPartyWhoseDutyItIsNot() public {
        duties = new ResponsibilityLedger(registry, catalogue, new EveryonesAgreement());
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, clerk, 1, 0, 10, 0);
        (request.objectKind, request.object) = (Duties.AGREEMENT, keccak256("agreement"));
        _assign(request);
        _accept(clerk, FIRST);
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.NotTheAssignee.selector, FIRST, outsider, clerk));
        this.vacate(outsider, FIRST, 0);
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.NotTheAssignee.selector, FIRST, outsider, clerk));
        this.handOver(outsider, FIRST, SECOND, outsider, 0);
        this.vacate(dept, FIRST, 0);
    }

    function test_handOver_endsTheOneAndProposesTheOther() public {
        uint64 now_ = uint64(block.timestamp);
        _assign(_assignment(FIRST, clerk, 1, 5000, 10, now_ + 100));
        _accept(clerk, FIRST);
        _handOver(office, FIRST, SECOND, dept, now_ + 50);
        IResponsibilityLedger.Assignment memory before = duties.assignmentOf(FIRST);
        IResponsibilityLedger.Assignment memory next = duties.assignmentOf(SECOND);
        require(before.status == IResponsibilityLedger.AssignmentStatus.ENDED && before.validTo == now_ + 50, "ended");
        require(next.status == IResponsibilityLedger.AssignmentStatus.PROPOSED, "proposed");
        require(next.validFrom == now_ + 50 && next.validTo == now_ + 100, "interval");
        require(next.shareBps == 5000 && next.role == 1, "same");
        _accept(dept, SECOND);
    }

    function test_handOver_failsOutsideTheInterval() public {
        uint64 first = uint64(block.timestamp) + 10;
        _assign(_assignment(FIRST, clerk, 1, 0, first, first + 90));
        _accept(clerk, FIRST);
        uint64[3] memory times = [first - 1, first + 90, first + 91];
        for (uint256 i = 0; i < times.length; i++) {
            VM.expectRevert(
                abi.encodeWithSelector(
                    IResponsibilityLedger.EndOutsideInterval.selector,
                    FIRST,
                    times[i],
                    first,
                    first + 90
                )
            );
            this.handOver(office, FIRST, SECOND, dept, times[i]);
        }
    }

    function test_vacate_byTheAssigneeReachesForwardOnly() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        _accept(clerk, FIRST);
        uint64 past = uint64(block.timestamp - 1);
        VM.expectRevert(
            abi.encodeWithSelector(IResponsibilityLedger.EndReachesBack.selector, FIRST, past, block.timestamp)
        );
        this.vacate(clerk, FIRST, past);
        this.vacate(clerk, FIRST, 0);
        require(duties.assignmentOf(FIRST).validTo == block.timestamp, "now");
    }

    function test_vacate_revokesWhatNobodyAccepted() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        VM.recordLogs();
        _vacate(office, FIRST, 0);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        bytes memory expected = abi.encode(office, block.timestamp, Duties.REVOKED, REASON);
        require(keccak256(logs[0].data) == keccak256(expected), "revoked");
        VM.expectRevert(
            abi.encodeWithSelector(
                IResponsibilityLedger.AssignmentNotInStatus.selector,
                FIRST,
                IResponsibilityLedger.AssignmentStatus.ENDED,
                IResponsibilityLedger.AssignmentStatus.PROPOSED
            )
        );
        this.accept(clerk, FIRST);
    }

    function test_vacate_failsIfThePostIsAStranger() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        VM.expectRevert(
            abi.encodeWithSelector(
                IResponsibilityLedger.ResponsibilityNotOfAgency.selector,
                dataset,
                Duties.DATASET,
                stranger
            )
        );
        this.vacate(outsider, FIRST, 0);
    }

    function test_assign_failsIfTheObjectIsAnothers() public {
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, outsider, 1, 0, 10, 0);
        request.post = outsider;
        VM.expectRevert(
            abi.encodeWithSelector(
                IResponsibilityLedger.ResponsibilityNotOfAgency.selector,
                dataset,
                Duties.DATASET,
                stranger
            )
        );
        this.assign(request);
        request.objectKind = Duties.AGREEMENT;
        VM.expectRevert(
            abi.encodeWithSelector(
                IResponsibilityLedger.ResponsibilityNotOfAgency.selector,
                dataset,
                Duties.AGREEMENT,
                stranger
            )
        );
        this.assign(request);
    }

    function test_assign_failsIfADepartmentHeadReachesIntoAnotherAgency() public {
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, outsider, 4, 0, 10, 0);
        request.post = dept;
        VM.expectRevert(
            abi.encodeWithSelector(IResponsibilityLedger.AssigneeOfAnotherAgency.selector, outsider, stranger, agency)
        );
        this.assign(request);
        request.post = office;
        this.assign(request);
    }

    function test_assign_failsIfAFieldHasNoMeaning() public {
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, clerk, 1, 0, 10, 0);
        request.duty = 13;
        _expectInvalid("duty", 13);
        this.assign(request);
        request.duty = 0;
        _expectInvalid("duty", 0);
        this.assign(request);
        request.duty = DELIVER;
        request.role = 5;
        _expectInvalid("role", 5);
        this.assign(request);
        request.role = 1;
        request.objectKind = 4;
        _expectInvalid("objectKind", 4);
        this.assign(request);
        request.objectKind = Duties.PLATFORM;
        _expectInvalid("object", uint256(dataset));
        this.assign(request);
        request.objectKind = Duties.DATASET;
        request.shareBps = 10001;
        _expectInvalid("shareBps", 10001);
        this.assign(request);
        request.shareBps = 0;
        request.assignment = 0;
        _expectInvalid("assignment", 0);
        this.assign(request);
    }

    function test_assign_failsIfTheIdWasUsed() public {
        _assign(_assignment(FIRST, clerk, 1, 0, 10, 0));
        IResponsibilityLedger.Assign memory request = _assignment(FIRST, dept, 2, 0, 10, 0);
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.AssignmentExists.selector, FIRST));
        this.assign(request);
        _accept(clerk, FIRST);
        VM.expectRevert(abi.encodeWithSelector(IResponsibilityLedger.AssignmentExists.selector, FIRST));
        this.handOver(office, FIRST, FIRST, dept, 0);
    }

    function _expectInvalid(string memory field, uint256 value) private {
        VM.expectRevert(
            abi.encodeWithSelector(IResponsibilityLedger.ResponsibilityFieldInvalid.selector, field, value)
        );
    }

    function _interval(uint64 one, uint64 two) private pure returns (uint64, uint64) {
        one = (one % 1000) + 1;
        return (one, one + (two % 1000) + 1);
    }
}

/// @title Anyone of a few posts does anything about one duty, in any order
contract ResponsibilityHandler is ResponsibilityWorld {
    bytes32[] public made;
    bytes32[] private _posts;

    constructor() {
        _deployDuties();
        _posts = [office, dept, clerk, outsider];
    }

    function assign(uint256 seed, uint8 role, uint16 shareBps, uint64 first, uint64 length) external {
        bytes32 id = keccak256(abi.encode("assignment", made.length));
        uint64 validFrom = uint64(block.timestamp) - 50 + (first % 100);
        _assign(
            _assignment(
                id,
                _posts[seed % _posts.length],
                (role % 4) + 1,
                shareBps % 10001,
                validFrom,
                length % 5 == 0 ? 0 : validFrom + (length % 50) + 1
            )
        );
        made.push(id);
    }

    function accept(uint256 seed) external {
        bytes32 id = made[seed % made.length];
        _accept(duties.assignmentOf(id).assignee, id);
    }

    function handOver(uint256 seed, uint256 to, uint64 at) external {
        bytes32 successor = keccak256(abi.encode("assignment", made.length));
        _handOver(
            office,
            made[seed % made.length],
            successor,
            _posts[to % _posts.length],
            uint64(block.timestamp) + (at % 100)
        );
        made.push(successor);
    }

    function vacate(uint256 seed, uint64 at) external {
        _vacate(office, made[seed % made.length], uint64(block.timestamp) + (at % 100));
    }

    /// @dev The most LEADs and the largest sum of shares that count at any one second.
    function most() external view returns (uint256 leads, uint256 shares) {
        bytes32[] memory accepted = duties.acceptedOf(DELIVER, dataset);
        for (uint256 i = 0; i < accepted.length; i++) {
            uint64 time = duties.assignmentOf(accepted[i]).validFrom;
            uint256 leadsNow = 0;
            uint256 sharesNow = 0;
            for (uint256 j = 0; j < accepted.length; j++) {
                IResponsibilityLedger.Assignment memory found = duties.assignmentOf(accepted[j]);
                if (found.validFrom > time || time >= found.validTo) continue;
                sharesNow += found.shareBps;
                if (found.role == Duties.LEAD) leadsNow++;
            }
            if (leadsNow > leads) leads = leadsNow;
            if (sharesNow > shares) shares = sharesNow;
        }
    }
}

contract ResponsibilityLedgerInvariantTest {
    ResponsibilityHandler private _handler;

    function setUp() public {
        _handler = new ResponsibilityHandler();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function invariant_neverTwoLeadsAndNeverMoreThanTheWhole() public view {
        (uint256 leads, uint256 shares) = _handler.most();
        require(leads <= 1, "two LEADs");
        require(shares <= 10_000, "more than the whole");
    }
}
