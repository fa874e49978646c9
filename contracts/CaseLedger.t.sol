// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CaseLedger} from "./CaseLedger.sol";
import {IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {ICaseLedger} from "./interfaces/ICaseLedger.sol";
import {ISignedRequests} from "./interfaces/ISignedRequests.sol";
import {CaseSteps} from "./libraries/CaseSteps.sol";
import {RespondentLeaf} from "./libraries/RespondentLeaf.sol";
import {Roles} from "./libraries/Roles.sol";
import {ReferenceTree} from "./test/ReferenceTree.sol";
import {VM, Vm} from "./test/Vm.sol";
import {World} from "./test/World.sol";

// solhint-disable quotes
contract CaseLedgerTest is World, ReferenceTree {
    bytes32 private constant CASE = keccak256("case");
    string private constant SALT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    string private constant AUTHORITY = "name:gov/CN/Bureau";
    string private constant RESPONDENT = 'name:gov/CN/The "big" \\ office';
    string private constant ESCAPED = 'name:gov/CN/The \\"big\\" \\\\ office';
    uint32 private constant EVERYTHING = Roles.INSPECTOR | Roles.SHARING_AUTHORITY | Roles.REVIEWER;

    CaseLedger private cases;
    bytes32 private authority;
    bytes32 private respondent;
    bytes32 private inspector;
    bytes32 private chief;
    bytes32 private reviewer;
    bytes32 private head;
    mapping(bytes32 filing => bytes32 leaf) private _respondentLeaves;

    function setUp() public {
        _deploy();
        _respondentLeaves[_filing(ESCAPED)] = _hashed(_leaf(ESCAPED));
        _respondentLeaves[_filing(AUTHORITY)] = _hashed(_leaf(AUTHORITY));
        cases = new CaseLedger(registry);
        authority = _agency(AUTHORITY, EVERYTHING);
        respondent = _agency(RESPONDENT, EVERYTHING);
        inspector = _post(authority, "inspector", Roles.INSPECTOR | Roles.REVIEWER);
        chief = _post(authority, "chief", Roles.SHARING_AUTHORITY | Roles.REVIEWER);
        reviewer = _post(authority, "reviewer", Roles.REVIEWER);
        head = _post(respondent, "head", Roles.PROVIDER_OFFICE_HEAD);
    }

    // As calls to itself, so that a revert is one call deep.

    function take(bytes32 post, uint8 step) external {
        _take(post, step, keccak256(abi.encode("commitment", step)));
    }

    function open(bytes32 post, uint8 step, string calldata text) external {
        _open(post, step, _opening(text));
    }

    function agencyOf(bytes calldata leaf) external pure returns (bytes32) {
        return RespondentLeaf.agencyOf(leaf);
    }

    function test_advance_recordsTheStepInTheCasesHead() public {
        bytes32 commitment = keccak256(abi.encode("commitment", CaseSteps.LEAD));
        VM.recordLogs();
        _take(inspector, CaseSteps.LEAD, commitment);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics.length == 4, "one event");
        require(logs[0].topics[0] == ICaseLedger.CaseAdvanced.selector, "event");
        require(logs[0].topics[1] == CASE && logs[0].topics[2] == bytes32(uint256(1)), "case and step");
        require(logs[0].topics[3] == inspector, "post");
        require(keccak256(logs[0].data) == keccak256(abi.encode(commitment, bytes32(0))), "data");
        bytes32 digest = keccak256(abi.encodePacked(logs[0].topics, logs[0].data));
        require(cases.heads(CASE) == keccak256(abi.encode(bytes32(0), block.number, block.timestamp, digest)), "head");
        require(VM.load(address(cases), keccak256(abi.encode(CASE, 0))) == cases.heads(CASE), "slot 0");
    }

    function test_wholeLife_fromLeadToReopening() public {
        this.take(inspector, CaseSteps.LEAD);
        _decided();
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        (, , , bytes32 opened, bytes32 filing) = cases.caseOf(CASE);
        require(opened == respondent && filing == _filing(ESCAPED), "opened");
        this.take(chief, CaseSteps.RECTIFYING);
        this.take(head, CaseSteps.EVIDENCE_FILED);
        this.take(reviewer, CaseSteps.REWORK);
        this.take(head, CaseSteps.EVIDENCE_FILED);
        this.take(reviewer, CaseSteps.VERIFIED);
        this.take(head, CaseSteps.APPEAL_FILED);
        this.take(reviewer, CaseSteps.APPEAL_UPHELD);
        this.take(chief, CaseSteps.CLOSED);
        this.take(inspector, CaseSteps.REOPENED);
        (uint8 step, uint8 appeal, , , ) = cases.caseOf(CASE);
        require(step == CaseSteps.REOPENED && appeal == CaseSteps.APPEAL_UPHELD, "steps");
    }

    function test_open_emitsTheRespondentOnceAndAfterTheStep() public {
        _decided();
        VM.recordLogs();
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        require(logs.length == 2, "two events");
        require(logs[1].topics[0] == ICaseLedger.CaseOpened.selector && logs[1].topics[2] == respondent, "opened");
        this.take(chief, CaseSteps.RECTIFYING);
        VM.recordLogs();
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        require(VM.getRecordedLogs().length == 1, "opened once");
    }

    function test_review_failsIfThePostTookPart() public {
        _decided();
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        this.take(chief, CaseSteps.RECTIFYING);
        bytes32 clerk = _post(authority, "clerk", EVERYTHING);
        this.take(clerk, CaseSteps.EVIDENCE_FILED);
        bytes32[3] memory posts = [inspector, chief, clerk];
        string[3] memory names = ["investigator", "decider", "rectifier"];
        for (uint256 i = 0; i < posts.length; i++) {
            for (uint8 step = CaseSteps.VERIFIED; step <= CaseSteps.REWORK; step++) {
                _expectNotIndependent(posts[i], names[i]);
                this.take(posts[i], step);
            }
        }
        this.take(reviewer, CaseSteps.VERIFIED);
    }

    function test_appeal_failsIfThePostTookPart() public {
        bytes32 clerk = _post(authority, "clerk", EVERYTHING);
        _decided();
        this.take(clerk, CaseSteps.APPEAL_FILED);
        bytes32[3] memory posts = [inspector, chief, clerk];
        string[3] memory names = ["investigator", "decider", "appellant"];
        for (uint256 i = 0; i < posts.length; i++) {
            for (uint8 step = CaseSteps.APPEAL_UPHELD; step <= CaseSteps.APPEAL_REVOKED; step++) {
                _expectNotIndependent(posts[i], names[i]);
                this.take(posts[i], step);
            }
        }
        this.take(reviewer, CaseSteps.APPEAL_REVOKED);
    }

    function test_review_failsIfThePostOnlyInvestigatedAndHoldsNoReviewersRole() public {
        bytes32 plain = _post(authority, "plain", Roles.INSPECTOR);
        _take(plain, CaseSteps.FILED, _filing(ESCAPED));
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
        this.take(chief, CaseSteps.RECTIFYING);
        this.take(chief, CaseSteps.EVIDENCE_FILED);
        _expectNotIndependent(plain, "investigator");
        this.take(plain, CaseSteps.VERIFIED);
    }

    function test_open_failsIfAnAuthorityDecidesItsOwnCase() public {
        uint8[3] memory steps = [CaseSteps.NOTICE_ISSUED, CaseSteps.CLOSED, CaseSteps.WITHDRAWN];
        _take(inspector, CaseSteps.FILED, _filing(AUTHORITY));
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
        for (uint256 i = 0; i < steps.length; i++) {
            VM.expectRevert(abi.encodeWithSelector(ICaseLedger.OwnCase.selector, CASE, authority, chief));
            this.open(chief, steps[i], AUTHORITY);
        }
    }

    function test_open_failsIfASuperiorOpensWhatAnAuthorityDecidedOfItself() public {
        bytes32 above = _post(_agency("name:gov/CN/Above", EVERYTHING | Roles.SUPERIOR), "superior", Roles.SUPERIOR);
        _take(inspector, CaseSteps.FILED, _filing(AUTHORITY));
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
        bytes32 agency = registry.postOf(above).agency;
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseOfAnotherAuthority.selector, CASE, agency, authority));
        this.open(above, CaseSteps.CLOSED, AUTHORITY);
    }

    function test_open_failsIfTheAuthorityTookTheRespondentsPlace() public {
        registry.linkSuccessor(respondent, authority, uint64(block.timestamp));
        _decided();
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.OwnCase.selector, CASE, authority, chief));
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
    }

    function test_file_failsIfAnotherAgencyTakesALeadOver() public {
        bytes32 stranger = _post(_agency("name:gov/CN/Other", EVERYTHING), "inspector", Roles.INSPECTOR);
        this.take(inspector, CaseSteps.LEAD);
        bytes32 agency = registry.postOf(stranger).agency;
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseOfAnotherAuthority.selector, CASE, agency, authority));
        this.take(stranger, CaseSteps.FILED);
        this.take(chief, CaseSteps.FILED);
    }

    function test_file_failsIfItNamesNoRespondentsLeaf() public {
        ICaseLedger.Advance memory request = _request(inspector, CaseSteps.FILED, _filing(ESCAPED));
        request.aux = 0;
        bytes memory signature = _signed(request);
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseRespondentMissing.selector, CASE));
        cases.advanceBySig(request, VM.addr(_keyOf(inspector)), signature);
    }

    function test_open_failsIfTheFilingHoldsASecondRespondent() public {
        bytes32[] memory leaves = new bytes32[](2);
        leaves[0] = _hashed(_leaf(ESCAPED));
        leaves[1] = _hashed(_leaf("name:gov/CN/Somebody else"));
        bytes32 filing = _root(leaves, 0, 2);
        _respondentLeaves[filing] = leaves[0];
        _take(inspector, CaseSteps.FILED, filing);
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
        ICaseLedger.Opening memory opening = ICaseLedger.Opening(
            filing,
            _leaf("name:gov/CN/Somebody else"),
            1,
            2,
            _path(leaves, 1, 0, 2)
        );
        VM.expectRevert(
            abi.encodeWithSelector(ICaseLedger.CaseRespondentMismatch.selector, CASE, leaves[1], leaves[0])
        );
        this.openWith(chief, opening);
    }

    function test_advance_failsIfTheRespondentDecidesAfterTheNotice() public {
        bytes32 judge = _post(respondent, "judge", EVERYTHING);
        _decided();
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.OwnCase.selector, CASE, respondent, judge));
        this.take(judge, CaseSteps.RECTIFYING);
        this.take(chief, CaseSteps.RECTIFYING);
        this.take(head, CaseSteps.EVIDENCE_FILED);
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.OwnCase.selector, CASE, respondent, judge));
        this.take(judge, CaseSteps.VERIFIED);
    }

    function test_advance_failsIfAnotherAgencySignsWhileSealed() public {
        bytes32 judge = _post(respondent, "judge", EVERYTHING);
        _decided();
        this.take(chief, CaseSteps.RECTIFYING);
        VM.expectRevert(
            abi.encodeWithSelector(ICaseLedger.CaseOfAnotherAuthority.selector, CASE, respondent, authority)
        );
        this.take(judge, CaseSteps.EVIDENCE_FILED);
    }

    function test_advance_failsIfANoticeOpensNothing() public {
        _decided();
        uint8[3] memory steps = [CaseSteps.NOTICE_ISSUED, CaseSteps.CLOSED, CaseSteps.WITHDRAWN];
        for (uint256 i = 0; i < steps.length; i++) {
            VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseSealed.selector, CASE, steps[i]));
            this.take(chief, steps[i]);
        }
    }

    function test_close_failsIfARectificationWasNotVerified() public {
        _decided();
        this.take(chief, CaseSteps.RECTIFYING);
        this.open(chief, CaseSteps.NOTICE_ISSUED, ESCAPED);
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseReviewMissing.selector, CASE));
        this.take(chief, CaseSteps.CLOSED);
    }

    function test_open_failsIfTheOpeningIsOfAnotherFiling() public {
        _decided();
        ICaseLedger.Opening memory opening = _opening(AUTHORITY);
        VM.expectRevert(
            abi.encodeWithSelector(ICaseLedger.CaseFilingMismatch.selector, CASE, opening.filing, _filing(ESCAPED))
        );
        this.open(chief, CaseSteps.NOTICE_ISSUED, AUTHORITY);
    }

    function testFuzz_open_failsIfAByteOfTheOpeningDiffers(uint256 place, uint8 bit) public {
        _decided();
        ICaseLedger.Opening memory opening = _opening(ESCAPED);
        place %= opening.leaf.length;
        opening.leaf[place] ^= bytes1(uint8(1) << (bit % 8));
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseOpeningInvalid.selector, CASE, _filing(ESCAPED)));
        this.openWith(chief, opening);
    }

    function openWith(bytes32 post, ICaseLedger.Opening calldata opening) external {
        _open(post, CaseSteps.NOTICE_ISSUED, opening);
    }

    function test_open_failsIfTheGroupIsAnotherOne() public {
        bytes memory facts = abi.encodePacked('["', SALT, '","facts-made-","', AUTHORITY, '"]');
        bytes32[] memory leaves = new bytes32[](1);
        leaves[0] = _hashed(facts);
        _respondentLeaves[leaves[0]] = leaves[0];
        _take(inspector, CaseSteps.FILED, leaves[0]);
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
        ICaseLedger.Opening memory opening = ICaseLedger.Opening(leaves[0], facts, 0, 1, new bytes32[](0));
        VM.expectRevert(abi.encodeWithSelector(RespondentLeaf.RespondentLeafMalformed.selector, 46));
        this.openWith(chief, opening);
    }

    function test_advance_failsIfTheSignatureIsUsedTwice() public {
        ICaseLedger.Advance memory request = _request(inspector, CaseSteps.LEAD, keccak256("lead"));
        bytes memory signature = _signed(request);
        address signer = VM.addr(_keyOf(inspector));
        cases.advanceBySig(request, signer, signature);
        VM.expectRevert();
        cases.advanceBySig(request, signer, signature);
    }

    function test_advance_failsAfterTheDeadline() public {
        ICaseLedger.Advance memory request = _request(inspector, CaseSteps.LEAD, keccak256("lead"));
        request.deadline = uint64(block.timestamp - 1);
        bytes memory signature = _signed(request);
        VM.expectRevert(
            abi.encodeWithSelector(ISignedRequests.SignatureExpired.selector, request.deadline, block.timestamp)
        );
        cases.advanceBySig(request, VM.addr(_keyOf(inspector)), signature);
    }

    function test_advance_failsIfTheKeyIsAnotherPosts() public {
        ICaseLedger.Advance memory request = _request(inspector, CaseSteps.LEAD, keccak256("lead"));
        bytes32 structHash = keccak256(abi.encode(cases.ADVANCE_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(chief), address(cases), structHash);
        address signer = VM.addr(_keyOf(chief));
        VM.expectRevert(abi.encodeWithSelector(IPostAuthorityErrors.UnauthorisedSigner.selector, inspector, signer));
        cases.advanceBySig(request, signer, signature);
    }

    /// @dev The one table of steps: whatever is not in it is refused, whoever signs.
    function testFuzz_advance_failsIfTheStepDoesNotFollow(uint8 first, uint8 second) public {
        bytes32 anyone = _post(authority, "anyone", EVERYTHING);
        uint8[2] memory starts = [CaseSteps.LEAD, CaseSteps.FILED];
        uint8 start = starts[first % 2];
        this.take(anyone, start);
        VM.assume(!CaseSteps.mayFollow(start, 0, false, second));
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.CaseStepNotAllowed.selector, CASE, start, second));
        this.take(anyone, second);
    }

    function test_agencyOf_readsTextAsItWasBeforeItWasEscaped() public view {
        require(this.agencyOf(_leaf(ESCAPED)) == keccak256(bytes(RESPONDENT)), "escaped");
        string memory wide = unicode"name:gov/CN/数据局 №1/ü";
        require(this.agencyOf(_leaf(wide)) == keccak256(bytes(wide)), "wide");
    }

    function test_agencyOf_failsIfTheSpellingIsNotTheOne() public {
        bytes[12] memory bad = [
            bytes(""),
            _leaf(""),
            abi.encodePacked('[ "', SALT, '","respondent","x"]'),
            abi.encodePacked('["', SALT, '" ,"respondent","x"]'),
            abi.encodePacked('["', SALT, '","respondent","x"] '),
            abi.encodePacked('["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=","respondent","x"]'),
            abi.encodePacked('["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A","respondent","x"]'),
            abi.encodePacked('["AAECAwQFBgcI"QoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","respondent","x"]'),
            _leaf('a"b'),
            _leaf("a\\u0041b"),
            _leaf("a\\/b"),
            _leaf("ends with \\")
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            (bool done, bytes memory answer) = address(this).call(abi.encodeCall(this.agencyOf, (bad[i])));
            require(!done && bytes4(answer) == RespondentLeaf.RespondentLeafMalformed.selector, "taken");
        }
    }

    function test_agencyOf_failsIfThereIsAControlCharacter() public {
        for (uint8 character = 0; character < 0x20; character++) {
            bytes memory leaf = _leaf(string(abi.encodePacked("a", character, "b")));
            (bool done, ) = address(this).call(abi.encodeCall(this.agencyOf, (leaf)));
            require(!done, "taken");
        }
    }

    function _decided() private {
        _take(inspector, CaseSteps.FILED, _filing(ESCAPED));
        this.take(inspector, CaseSteps.FACTS_TOLD);
        this.take(chief, CaseSteps.DECIDED);
    }

    function _expectNotIndependent(bytes32 post, string memory capacity) private {
        VM.expectRevert(abi.encodeWithSelector(ICaseLedger.ReviewerNotIndependent.selector, CASE, post, capacity));
    }

    function _request(
        bytes32 post,
        uint8 step,
        bytes32 commitment
    ) private returns (ICaseLedger.Advance memory request) {
        bytes32 aux = step == CaseSteps.FILED ? _respondentLeaves[commitment] : bytes32(0);
        if (step == CaseSteps.FILED && aux == 0) aux = keccak256("a leaf that nobody will open");
        request = ICaseLedger.Advance(post, CASE, step, commitment, aux, _nonce(), LATER);
    }

    function _signed(ICaseLedger.Advance memory request) private view returns (bytes memory) {
        bytes32 structHash = keccak256(abi.encode(cases.ADVANCE_TYPEHASH(), request));
        return _sign(_keyOf(request.post), address(cases), structHash);
    }

    function _take(bytes32 post, uint8 step, bytes32 commitment) private {
        ICaseLedger.Advance memory request = _request(post, step, commitment);
        cases.advanceBySig(request, VM.addr(_keyOf(post)), _signed(request));
    }

    function _open(bytes32 post, uint8 step, ICaseLedger.Opening memory opening) private {
        ICaseLedger.Advance memory request = _request(post, step, keccak256("opened"));
        cases.openNoticeBySig(request, opening, VM.addr(_keyOf(post)), _signed(request));
    }

    function _leaf(string memory text) private pure returns (bytes memory) {
        return abi.encodePacked('["', SALT, '","respondent","', text, '"]');
    }

    function _hashed(bytes memory leaf) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0), leaf));
    }

    /// @dev Three groups of which the respondent's is the middle one.
    function _groups(string memory text) private pure returns (bytes32[] memory leaves) {
        leaves = _leaves(3, 7);
        leaves[1] = _hashed(_leaf(text));
    }

    function _filing(string memory text) private pure returns (bytes32) {
        return _root(_groups(text), 0, 3);
    }

    function _opening(string memory text) private pure returns (ICaseLedger.Opening memory) {
        bytes32[] memory leaves = _groups(text);
        return ICaseLedger.Opening(_filing(text), _leaf(text), 1, 3, _path(leaves, 1, 0, 3));
    }
}
