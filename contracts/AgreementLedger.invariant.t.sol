// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgencyRegistry} from "./interfaces/IAgencyRegistry.sol";
import {IAgreementLedger} from "./interfaces/IAgreementLedger.sol";
import {Roles} from "./libraries/Roles.sol";
import {AgreementWorld} from "./test/AgreementWorld.sol";
import {Vm, VM} from "./test/Vm.sol";

/// @title Acts of random posts on a few agreements and keys, and what an auditor would fold from the logs
/// @dev Every act may be refused; what is refused leaves no log.
contract AgreementHandler is AgreementWorld {
    uint256 private constant IDS = 6;
    uint256 private constant KEYS = 3;

    bytes32[] private _posts;
    bytes32[] private _keyPosts;
    bytes32[] private _headKeys;
    mapping(address emitter => mapping(bytes32 key => bytes32 head)) private _folded;
    mapping(bytes32 key => bool known) private _isKnown;
    mapping(bytes32 agreement => mapping(uint32 version => uint256 count)) private _signatures;

    /// @notice How often each kind of event was seen, so that a test can ask whether the acts reach anything.
    mapping(bytes32 topic => uint256 count) public seen;

    constructor() {
        VM.recordLogs();
        _deployWithAgencies();
        _posts = [headA, headB, headC, supervisor, deptHead];
        for (uint256 i = 0; i < KEYS; ++i) {
            bytes32 code = keccak256(abi.encode("key post", i));
            bytes32 post = _register(i == 0 ? provider : requesterB, code, Roles.DEPT_HEAD);
            _keyPosts.push(post);
        }
        _fold();
    }

    // Acts

    function propose(uint256 by, uint256 id, bool three) external {
        IAgreementLedger.Terms memory terms = three ? _termsOfThree(1) : _terms(1);
        terms.agreement = _id(id);
        terms.version = agreements.agreementOf(terms.agreement).activeVersion + 1;
        try this.doPropose(_postAt(by), terms) {} catch {}
        _fold();
    }

    function sign(uint256 by, uint256 id) external {
        uint32 version = agreements.agreementOf(_id(id)).pendingVersion;
        try this.doSign(_postAt(by), _id(id), version) {} catch {}
        _fold();
    }

    function cancel(uint256 by, uint256 id) external {
        uint32 version = agreements.agreementOf(_id(id)).pendingVersion;
        try this.doCancel(_postAt(by), _id(id), version) {} catch {}
        _fold();
    }

    function change(uint256 by, uint256 id, uint8 act) external {
        try this.doChange(_postAt(by), _id(id), act % 4) {} catch {}
        _fold();
    }

    function bind(uint256 post, uint256 key, uint32 length) external {
        bytes32 chosen = _keyPosts[post % KEYS];
        bytes32 agency = registry.postOf(chosen).agency;
        try this.doBind(agency, chosen, 1 + (key % KEYS), uint64(block.timestamp + 1 + length)) {} catch {}
        _fold();
    }

    function retireKey(uint256 post, uint256 key) external {
        bytes32 chosen = _keyPosts[post % KEYS];
        bytes32 agency = registry.postOf(chosen).agency;
        try this.doRetireKey(agency, chosen, 1 + (key % KEYS)) {} catch {}
        _fold();
    }

    function rotate(uint256 post, uint256 oldKey, uint256 newKey) external {
        bytes32 chosen = _keyPosts[post % KEYS];
        bytes32 agency = registry.postOf(chosen).agency;
        try this.doRotate(agency, chosen, 1 + (oldKey % KEYS), 1 + (newKey % KEYS)) {} catch {}
        _fold();
    }

    function pass(uint16 time) external {
        VM.warp(block.timestamp + time);
        VM.roll(block.number + 1);
    }

    // What must hold

    /// @dev Every head equals the fold of the logs as they were emitted, in the contract's answer and in slot 0.
    function checkHeads() external view {
        for (uint256 i = 0; i < _headKeys.length; ++i) {
            bytes32 key = _headKeys[i];
            require(registry.heads(key) == _folded[address(registry)][key], "a registry head is another");
            require(catalogue.heads(key) == _folded[address(catalogue)][key], "a catalogue head is another");
            require(agreements.heads(key) == _folded[address(agreements)][key], "an agreement head is another");
            bytes32 stored = VM.load(address(agreements), keccak256(abi.encode(key, uint256(0))));
            require(stored == agreements.heads(key), "the heads are not at slot 0");
        }
    }

    /// @dev In force, suspended or ended after that: then every party of the version signed it.
    function checkSignatures() external view {
        for (uint256 i = 0; i < IDS; ++i) {
            IAgreementLedger.AgreementView memory known = agreements.agreementOf(_id(i));
            if (known.activeVersion == 0) {
                require(
                    known.status == IAgreementLedger.Status.NONE ||
                        known.status == IAgreementLedger.Status.PROPOSED ||
                        known.status == IAgreementLedger.Status.CANCELLED,
                    "in force without a version"
                );
                continue;
            }
            require(
                _signatures[_id(i)][known.activeVersion] == _partiesOf(i, known.activeVersion),
                "a party is missing"
            );
        }
    }

    /// @dev No key is authorised for two posts at one time.
    function checkKeys() external view {
        for (uint256 key = 1; key <= KEYS; ++key) {
            uint256 speaksFor = 0;
            for (uint256 i = 0; i < KEYS; ++i) {
                try registry.authorise(_keyPosts[i], VM.addr(key), Roles.ALL) {
                    ++speaksFor;
                } catch {}
            }
            require(speaksFor < 2, "a key speaks for two posts");
        }
    }

    // External forms, so that a refusal can be caught

    function doPropose(bytes32 post, IAgreementLedger.Terms calldata terms) external {
        _propose(post, terms);
        _signatures[terms.agreement][terms.version] = 0;
    }

    function doSign(bytes32 post, bytes32 id, uint32 version) external {
        _signVersion(post, id, version);
        ++_signatures[id][version];
    }

    function doCancel(bytes32 post, bytes32 id, uint32 version) external {
        _cancel(post, id, version);
    }

    function doChange(bytes32 post, bytes32 id, uint8 act) external {
        if (act == 0) _suspend(post, id);
        else if (act == 1) _resume(post, id);
        else if (act == 2) _terminate(post, id);
        else _dispose(post, id);
    }

    function doBind(bytes32 agency, bytes32 post, uint256 key, uint64 validTo) external {
        _bind(agency, post, key, 0, validTo);
    }

    function doRetireKey(bytes32 agency, bytes32 post, uint256 key) external {
        _retireKey(agency, post, key);
    }

    function doRotate(bytes32 agency, bytes32 post, uint256 oldKey, uint256 newKey) external {
        _rotate(agency, post, oldKey, newKey);
    }

    function _partiesOf(uint256 id, uint32 version) private view returns (uint256 count) {
        return agreements.versionOf(_id(id), version).parties.length;
    }

    function _id(uint256 id) private pure returns (bytes32 agreement) {
        return keccak256(abi.encode("agreement", id % IDS));
    }

    function _postAt(uint256 by) private view returns (bytes32 post) {
        return _posts[by % _posts.length];
    }

    /// @dev Folds what was logged since, by the rule of `ledger/domain/heads.py`, written here a second time.
    function _fold() private {
        Vm.Log[] memory logs = VM.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            address emitter = logs[i].emitter;
            bool isOurs =
                emitter == address(registry) || emitter == address(catalogue) || emitter == address(agreements);
            if (!isOurs || logs[i].topics.length < 2) continue;
            ++seen[logs[i].topics[0]];
            bytes32 digest = keccak256(abi.encodePacked(logs[i].topics, logs[i].data));
            if (emitter == address(catalogue)) {
                _advance(emitter, keccak256(abi.encode(logs[i].topics[1], logs[i].topics[2])), digest);
            }
            _advance(emitter, logs[i].topics[1], digest);
            if (logs[i].topics[0] == IAgreementLedger.AgreementProposed.selector) _foldPairs(logs[i].data, digest);
        }
    }

    function _foldPairs(bytes memory data, bytes32 digest) private {
        (, IAgreementLedger.Terms memory terms) = abi.decode(data, (bytes32, IAgreementLedger.Terms));
        for (uint256 i = 0; i < terms.grants.length; ++i) {
            bytes32 pair = keccak256(abi.encode(terms.grants[i].recipient, terms.grants[i].dataset)) >> 32;
            bool isNew = true;
            for (uint256 k = 0; k < i; ++k) {
                bytes32 earlier = keccak256(abi.encode(terms.grants[k].recipient, terms.grants[k].dataset)) >> 32;
                if (earlier == pair) isNew = false;
            }
            if (isNew) _advance(address(agreements), pair, digest);
        }
    }

    function _advance(address emitter, bytes32 key, bytes32 digest) private {
        bytes32 head = _folded[emitter][key];
        _folded[emitter][key] = keccak256(abi.encode(head, block.number, block.timestamp, digest));
        if (!_isKnown[key]) {
            _isKnown[key] = true;
            _headKeys.push(key);
        }
    }
}

contract AgreementLedgerInvariantTest {
    error NotReached(bytes32 topic);

    AgreementHandler private _handler;
    address[] private _targets;

    function setUp() public {
        _handler = new AgreementHandler();
        _targets.push(address(_handler));
    }

    /// @dev The engine calls only the handler.
    function targetContracts() external view returns (address[] memory) {
        return _targets;
    }

    /// @dev The same acts in one long life: they reach every event, so the invariants are not about nothing.
    function test_theActsReachEveryEvent() public {
        for (uint256 i = 0; i < 240; ++i) {
            uint256 random = uint256(keccak256(abi.encode(i)));
            (uint256 a, uint256 id, uint256 kind) = (random >> 8, i / 60, random % 16);
            if (kind < 2) _handler.propose(0, id, random & 0x40 == 0);
            else if (kind < 7) _handler.sign(a % 3, id);
            else if (kind == 7 && i % 60 > 45) _handler.cancel(a, id);
            else if (kind < 11) _handler.change(3, id, uint8(i % 60 > 45 ? 2 : (random >> 200) & 1));
            else if (kind == 11) _handler.change(1 + (a % 2), id, 3);
            else if (kind == 12) _handler.bind(a, random >> 72, uint32(random >> 240));
            else if (kind == 13) _handler.retireKey(a, random >> 72);
            else if (kind == 14) _handler.rotate(a, random >> 72, random >> 136);
            else _handler.pass(uint16(random >> 248));
        }
        for (uint256 id = 0; id < 6; ++id) {
            _handler.change(3, id, 2);
            _handler.change(1, id, 3);
            _handler.change(2, id, 3);
        }
        _handler.checkHeads();
        _handler.checkSignatures();
        _handler.checkKeys();
        bytes32[11] memory topics = [
            IAgencyRegistry.KeyBound.selector,
            IAgencyRegistry.KeyRetired.selector,
            IAgreementLedger.AgreementProposed.selector,
            IAgreementLedger.AgreementSigned.selector,
            IAgreementLedger.AgreementActivated.selector,
            IAgreementLedger.AgreementSuspended.selector,
            IAgreementLedger.AgreementResumed.selector,
            IAgreementLedger.AgreementTerminated.selector,
            IAgreementLedger.ProposalCancelled.selector,
            IAgreementLedger.DisposalCertified.selector,
            IAgreementLedger.AgreementDisposed.selector
        ];
        for (uint256 i = 0; i < topics.length; ++i) {
            if (_handler.seen(topics[i]) == 0) revert NotReached(topics[i]);
        }
    }

    function invariant_everyHeadIsTheFoldOfTheLogs() public view {
        _handler.checkHeads();
    }

    function invariant_nothingIsInForceWithoutEverySignature() public view {
        _handler.checkSignatures();
    }

    function invariant_aKeySpeaksForOnePost() public view {
        _handler.checkKeys();
    }
}
