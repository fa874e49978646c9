// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IAgencyRegistry, IPostAuthorityErrors} from "./interfaces/IAgencyRegistry.sol";
import {ISignedRequests} from "./interfaces/ISignedRequests.sol";
import {Roles} from "./libraries/Roles.sol";
import {VM} from "./test/Vm.sol";
import {World} from "./test/World.sol";

/// @dev A contract account that accepts one digest only.
contract Wallet is IERC1271 {
    bytes32 private immutable _accepted;

    constructor(bytes32 accepted) {
        _accepted = accepted;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4 magic) {
        return digest == _accepted ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract AgencyRegistryTest is World {
    bytes32 private _a;
    bytes32 private _b;
    bytes32 private _head;

    function setUp() public {
        _deploy();
        _a = _agency("A", 0);
        _b = _agency("B", Roles.INSPECTOR);
        _head = _post(_a, "head", Roles.PROVIDER_OFFICE_HEAD);
    }

    // Admission

    function test_admit_keepsRootKeyCapacitiesAndNumber() public view {
        IAgencyRegistry.Agency memory known = registry.agencyOf(_b);
        require(known.rootKey == VM.addr(_rootOf(_b)) && known.capacities == Roles.INSPECTOR, "root or capacities");
        require(known.number == 2 && registry.agencyByNumber(2) == _b && registry.agencyCount() == 2, "number");
        require(registry.numberOf(_b) == 2, "numberOf");
    }

    function test_admit_failsTwice() public {
        IAgencyRegistry.AdmitAgency memory request = _admission(_a);
        bytes memory possession = _signedAdmission(_rootOf(_a), request);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.AgencyKnown.selector, _a));
        registry.admitAgency(request, possession);
    }

    function test_admit_failsWithoutTheRootKeysSignature() public {
        IAgencyRegistry.AdmitAgency memory request = _admission(keccak256("C"));
        bytes memory possession = _signedAdmission(_rootOf(_a), request);
        VM.expectPartialRevert(ISignedRequests.InvalidSignature.selector);
        registry.admitAgency(request, possession);
    }

    function test_admit_failsIfSenderIsNotRegistrar() public {
        IAgencyRegistry.AdmitAgency memory request = _admission(keccak256("C"));
        bytes memory possession = _signedAdmission(_rootOf(keccak256("C")), request);
        VM.prank(address(0xbeef));
        VM.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(0xbeef)));
        registry.admitAgency(request, possession);
    }

    function test_admit_failsWithUnknownCapacities() public {
        IAgencyRegistry.AdmitAgency memory request = _admission(keccak256("C"));
        request.capacities = 1024;
        bytes memory possession = _signedAdmission(_rootOf(keccak256("C")), request);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.UnknownRoles.selector, uint32(1024), Roles.ALL));
        registry.admitAgency(request, possession);
    }

    // Only the registrar

    function test_registrarFunctions_failForAnyoneElse(address stranger) public {
        VM.assume(stranger != address(this));
        bytes memory refusal = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger);
        VM.startPrank(stranger);
        VM.expectRevert(refusal);
        registry.setCapacities(_a, 0);
        VM.expectRevert(refusal);
        registry.suspendAgency(_a, REASON);
        VM.expectRevert(refusal);
        registry.reinstateAgency(_a);
        VM.expectRevert(refusal);
        registry.announceRootReplacement(_a, stranger);
        VM.expectRevert(refusal);
        registry.executeRootReplacement(_a);
        VM.expectRevert(refusal);
        registry.linkSuccessor(_a, _b, 0);
        VM.stopPrank();
    }

    // Posts

    function test_registerPost_failsIfSignerIsNotRoot() public {
        bytes32 code = keccak256("post");
        IAgencyRegistry.RegisterPost memory request = IAgencyRegistry.RegisterPost(_a, code, 1, 0, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(registry.REGISTER_POST_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_b), address(registry), structHash);
        address stranger = VM.addr(_rootOf(_b));
        VM.expectRevert(
            abi.encodeWithSelector(IAgencyRegistry.NotRootKey.selector, _a, VM.addr(_rootOf(_a)), stranger)
        );
        registry.registerPostBySig(request, stranger, signature);
    }

    function test_registerPost_failsWithACodeThatTheAgencyUsed() public {
        bytes32 code = keccak256("used");
        bytes32 post = _register(_a, code, Roles.DEPT_HEAD);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.PostKnown.selector, post, _a));
        this.register(_a, code, Roles.DEPT_HEAD);
        _retirePost(_a, post);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.PostKnown.selector, post, _a));
        this.register(_a, code, Roles.DEPT_HEAD);
    }

    function testFuzz_registerPost_givesEachAgencyIdsOfItsOwn(bytes32 code) public {
        VM.assume(code != 0);
        bytes32 one = _register(_a, code, Roles.DEPT_HEAD);
        bytes32 other = _register(_b, code, Roles.DEPT_HEAD);
        require(one != other && registry.postOf(one).agency == _a && registry.postOf(other).agency == _b, "own");
    }

    function test_registerPost_failsWithAnAgencysId() public {
        bytes32 code = keccak256("code");
        bytes32 agency = _postId(_b, code);
        _admit(agency);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.AgencyKnown.selector, agency));
        this.register(_b, code, Roles.DEPT_HEAD);
    }

    function test_admit_failsWithAPostsId() public {
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.PostKnown.selector, _head, _a));
        this.admit(_head);
    }

    function test_bind_failsWithAKeyThatSpokeForAnotherAgency() public {
        _retirePost(_a, _head);
        bytes32 other = _register(_b, keccak256("other"), Roles.DEPT_HEAD);
        VM.expectRevert(
            abi.encodeWithSelector(IAgencyRegistry.KeyOfAnotherAgency.selector, VM.addr(_keyOf(_head)), _head, _b)
        );
        this.bind(_b, other, _keyOf(_head), 0, LATER);
    }

    function admit(bytes32 agency) external {
        _admit(agency);
    }

    function _admit(bytes32 agency) private {
        IAgencyRegistry.AdmitAgency memory request = _admission(agency);
        registry.admitAgency(request, _signedAdmission(_rootOf(agency), request));
    }

    function test_roles_beyondCapacitiesAreRefused(uint32 roles, uint32 capacities) public {
        roles = roles & Roles.ALL;
        capacities = capacities & Roles.ALL;
        registry.setCapacities(_b, capacities);
        uint32 allowed = capacities | Roles.COMMON;
        if (roles & ~allowed != 0) {
            VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.RolesBeyondCapacities.selector, _b, roles, allowed));
        }
        this.register(_b, keccak256("post"), roles);
        require(registry.postOf(_postId(_b, keccak256("post"))).roles == (roles & ~allowed != 0 ? 0 : roles), "roles");
    }

    function test_setRoles_changesWhatThePostMayDo() public {
        _setRoles(_a, _head, Roles.DEPT_HEAD);
        registry.authorise(_head, VM.addr(_keyOf(_head)), Roles.DEPT_HEAD);
        _expectDenied(
            _head,
            VM.addr(_keyOf(_head)),
            Roles.PROVIDER_OFFICE_HEAD,
            abi.encodeWithSelector(
                IPostAuthorityErrors.MissingRole.selector,
                _head,
                Roles.DEPT_HEAD,
                Roles.PROVIDER_OFFICE_HEAD
            )
        );
    }

    function test_setRoles_failsForAnotherAgencysPost() public {
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.PostOfAnotherAgency.selector, _head, _a, _b));
        this.setRoles(_b, _head, Roles.DEPT_HEAD);
    }

    function test_lostCapacity_endsTheRoleAtOnce() public {
        bytes32 inspector = _post(_b, "inspector", Roles.INSPECTOR);
        registry.authorise(inspector, VM.addr(_keyOf(inspector)), Roles.INSPECTOR);
        registry.setCapacities(_b, 0);
        _expectDenied(
            inspector,
            VM.addr(_keyOf(inspector)),
            Roles.INSPECTOR,
            abi.encodeWithSelector(IPostAuthorityErrors.MissingRole.selector, inspector, 0, Roles.INSPECTOR)
        );
    }

    function test_retiredPost_neverActsOrChangesAgain() public {
        _retirePost(_a, _head);
        bytes memory refusal = abi.encodeWithSelector(IPostAuthorityErrors.PostRetired.selector, _head, START);
        _expectDenied(_head, VM.addr(_keyOf(_head)), Roles.ALL, refusal);
        VM.expectRevert(refusal);
        this.setRoles(_a, _head, 1);
        VM.expectRevert(refusal);
        this.bind(_a, _head, 99, 0, LATER);
        VM.expectRevert(refusal);
        this.retireKey(_a, _head, _keyOf(_head));
        VM.expectRevert(refusal);
        this.retirePost(_a, _head);
    }

    // Keys

    function test_key_speaksExactlyInItsInterval(uint64 validFrom, uint64 validTo, uint64 time) public {
        validFrom = uint64(START + (validFrom % 1000));
        validTo = validFrom + 1 + (validTo % 1000);
        time = uint64(START + (time % 3000));
        bytes32 post = _register(_a, keccak256("post"), Roles.DEPT_HEAD);
        _bind(_a, post, 77, validFrom, validTo);
        VM.warp(time);
        if (time < validFrom || time >= validTo) {
            _expectDenied(
                post,
                VM.addr(77),
                Roles.DEPT_HEAD,
                abi.encodeWithSelector(IPostAuthorityErrors.UnauthorisedSigner.selector, post, VM.addr(77))
            );
        } else {
            (bytes32 agency, uint32 number, uint32 roles) = registry.authorise(post, VM.addr(77), Roles.DEPT_HEAD);
            require(agency == _a && number == 1 && roles == Roles.DEPT_HEAD, "authority");
        }
    }

    function test_bind_failsIntoThePast(uint64 validFrom) public {
        validFrom = uint64(1 + (validFrom % (START - 1)));
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.KeyBackdated.selector, validFrom, START));
        this.bind(_a, _head, 77, validFrom, LATER);
    }

    function test_bind_failsWithEmptyInterval() public {
        uint64 time = uint64(START + 10);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.EmptyInterval.selector, time, time));
        this.bind(_a, _head, 77, time, time);
    }

    function test_bind_withoutEndIsOpenEnded() public {
        _bind(_a, _head, 77, 0, 0);
        (uint64 validFrom, uint64 validTo) = registry.keyOf(_head, VM.addr(77));
        require(validFrom == START && validTo == LATER, "interval");
    }

    function test_bind_failsWhileTheKeyIsBoundToALivePost() public {
        bytes32 other = _register(_a, keccak256("other"), Roles.DEPT_HEAD);
        VM.expectRevert(
            abi.encodeWithSelector(IAgencyRegistry.KeyAlreadyBound.selector, VM.addr(_keyOf(_head)), _head, LATER)
        );
        this.bind(_a, other, _keyOf(_head), 0, LATER);
    }

    function test_bind_failsWhileTheKeyIsBoundForLater() public {
        _bind(_a, _head, 77, uint64(START + 100), LATER);
        bytes32 other = _register(_a, keccak256("other"), Roles.DEPT_HEAD);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.KeyAlreadyBound.selector, VM.addr(77), _head, LATER));
        this.bind(_a, other, 77, 0, uint64(START + 50));
    }

    function test_bind_takesAKeyWhosePostWasRetired() public {
        _retirePost(_a, _head);
        bytes32 other = _register(_a, keccak256("other"), Roles.DEPT_HEAD);
        _bind(_a, other, _keyOf(_head), 0, LATER);
        registry.authorise(other, VM.addr(_keyOf(_head)), Roles.DEPT_HEAD);
        require(registry.lastPostOf(VM.addr(_keyOf(_head))) == other, "last post");
    }

    function test_bind_failsWithoutThePossessionOfTheKey() public {
        IAgencyRegistry.BindKey memory request = IAgencyRegistry.BindKey(
            _a,
            _head,
            VM.addr(77),
            0,
            LATER,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(registry.BIND_KEY_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        address root = VM.addr(_rootOf(_a));
        VM.expectRevert(
            abi.encodeWithSelector(
                ISignedRequests.InvalidSignature.selector,
                VM.addr(77),
                _digest(address(registry), structHash)
            )
        );
        registry.bindKeyBySig(request, root, signature, signature);
    }

    function test_rotate_endsTheOldAndStartsTheNewAtOneTime() public {
        VM.warp(START + 50);
        _rotate(_a, _head, _keyOf(_head), 77);
        (, uint64 oldEnd) = registry.keyOf(_head, VM.addr(_keyOf(_head)));
        (uint64 newStart, uint64 newEnd) = registry.keyOf(_head, VM.addr(77));
        require(oldEnd == START + 50 && newStart == START + 50 && newEnd == LATER, "intervals");
        registry.authorise(_head, VM.addr(77), Roles.PROVIDER_OFFICE_HEAD);
        _expectDenied(
            _head,
            VM.addr(_keyOf(_head)),
            Roles.ALL,
            abi.encodeWithSelector(IPostAuthorityErrors.UnauthorisedSigner.selector, _head, VM.addr(_keyOf(_head)))
        );
    }

    function test_rotate_failsForAKeyThatIsNotThePosts() public {
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.KeyNotBound.selector, _head, VM.addr(78)));
        this.rotate(_a, _head, 78, 77);
    }

    function test_rotate_failsToTheSameKey() public {
        uint256 key = _keyOf(_head);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.KeyAlreadyBound.selector, VM.addr(key), _head, LATER));
        this.rotate(_a, _head, key, key);
    }

    function test_retireKey_endsItAtOnceAndOnlyOnce() public {
        uint256 key = _keyOf(_head);
        _retireKey(_a, _head, key);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.KeyNotBound.selector, _head, VM.addr(key)));
        this.retireKey(_a, _head, key);
        _expectDenied(
            _head,
            VM.addr(key),
            Roles.ALL,
            abi.encodeWithSelector(IPostAuthorityErrors.UnauthorisedSigner.selector, _head, VM.addr(key))
        );
    }

    // Suspension

    function test_suspendedAgency_actsByNoPostUntilReinstated() public {
        registry.suspendAgency(_a, REASON);
        _expectDenied(
            _head,
            VM.addr(_keyOf(_head)),
            Roles.ALL,
            abi.encodeWithSelector(IPostAuthorityErrors.AgencySuspended.selector, _a)
        );
        VM.expectRevert(abi.encodeWithSelector(IPostAuthorityErrors.AgencySuspended.selector, _a));
        registry.suspendAgency(_a, REASON);
        registry.reinstateAgency(_a);
        registry.authorise(_head, VM.addr(_keyOf(_head)), Roles.ALL);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.AgencyNotSuspended.selector, _a));
        registry.reinstateAgency(_a);
    }

    function test_authorise_refusesInTheOrderOfTheRule() public {
        address stranger = VM.addr(1);
        registry.suspendAgency(_a, REASON);
        _expectDenied(
            _head,
            stranger,
            Roles.DEPT_HEAD,
            abi.encodeWithSelector(IPostAuthorityErrors.UnauthorisedSigner.selector, _head, stranger)
        );
        _retirePost(_a, _head);
        _expectDenied(
            _head,
            stranger,
            Roles.DEPT_HEAD,
            abi.encodeWithSelector(IPostAuthorityErrors.PostRetired.selector, _head, START)
        );
        bytes32 unknown = keccak256("unknown");
        _expectDenied(
            unknown,
            stranger,
            Roles.DEPT_HEAD,
            abi.encodeWithSelector(IPostAuthorityErrors.PostRetired.selector, unknown, 0)
        );
    }

    // The root key

    function test_rootReplacement_takesEffectOnlyAfterTheDelay() public {
        address fresh = VM.addr(5);
        registry.announceRootReplacement(_a, fresh);
        uint64 effectiveAt = uint64(START) + registry.ROOT_REPLACEMENT_DELAY();
        VM.warp(effectiveAt - 1);
        VM.expectRevert(
            abi.encodeWithSelector(IAgencyRegistry.RootReplacementTooEarly.selector, _a, effectiveAt, effectiveAt - 1)
        );
        registry.executeRootReplacement(_a);
        VM.warp(effectiveAt);
        registry.executeRootReplacement(_a);
        require(registry.agencyOf(_a).rootKey == fresh, "root");
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.NoRootReplacement.selector, _a));
        registry.executeRootReplacement(_a);
    }

    function test_rootReplacement_isStoppedByThePresentRoot() public {
        registry.announceRootReplacement(_a, VM.addr(5));
        IAgencyRegistry.CancelRootReplacement memory request = IAgencyRegistry.CancelRootReplacement(
            _a,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(registry.CANCEL_ROOT_REPLACEMENT_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        registry.cancelRootReplacementBySig(request, VM.addr(_rootOf(_a)), signature);
        VM.warp(START + 365 days);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.NoRootReplacement.selector, _a));
        registry.executeRootReplacement(_a);
    }

    function test_rotateRoot_needsBothKeysAndEndsAnAnnouncement() public {
        registry.announceRootReplacement(_a, VM.addr(5));
        IAgencyRegistry.RotateRoot memory request = IAgencyRegistry.RotateRoot(_a, VM.addr(6), _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(registry.ROTATE_ROOT_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        address root = VM.addr(_rootOf(_a));
        VM.expectPartialRevert(ISignedRequests.InvalidSignature.selector);
        registry.rotateRootBySig(request, root, signature, signature);
        registry.rotateRootBySig(request, root, signature, _sign(6, address(registry), structHash));
        require(registry.agencyOf(_a).rootKey == VM.addr(6), "root");
        require(registry.agencyOf(_a).announcedRoot == address(0), "announcement");
    }

    // Succession

    function test_successor_isLinkedOnceAndIsAnotherAgency() public {
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.SuccessionRefused.selector, _a, bytes32(0), _a));
        registry.linkSuccessor(_a, _a, 0);
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.AgencyUnknown.selector, keccak256("C")));
        registry.linkSuccessor(_a, keccak256("C"), 0);
        registry.linkSuccessor(_a, _b, 5);
        require(registry.agencyOf(_a).successor == _b && registry.agencyOf(_a).succeededAt == 5, "successor");
        VM.expectRevert(abi.encodeWithSelector(IAgencyRegistry.SuccessionRefused.selector, _a, _b, _b));
        registry.linkSuccessor(_a, _b, 5);
    }

    // Signed requests

    function test_request_countsOnceAndUntilItsDeadline() public {
        IAgencyRegistry.SetPostRoles memory request = IAgencyRegistry.SetPostRoles(
            _a,
            _head,
            Roles.DEPT_HEAD,
            _nonce(),
            uint64(START)
        );
        bytes32 structHash = keccak256(abi.encode(registry.SET_POST_ROLES_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        address root = VM.addr(_rootOf(_a));
        VM.warp(START + 1);
        VM.expectRevert(abi.encodeWithSelector(ISignedRequests.SignatureExpired.selector, uint64(START), START + 1));
        registry.setPostRolesBySig(request, root, signature);
        VM.warp(START);
        registry.setPostRolesBySig(request, root, signature);
        VM.expectRevert(abi.encodeWithSelector(Nonces.InvalidAccountNonce.selector, root, request.nonce + 1));
        registry.setPostRolesBySig(request, root, signature);
    }

    function test_request_ofAnotherChainIsRefused(uint64 chain) public {
        VM.assume(chain != block.chainid && chain != 0);
        IAgencyRegistry.SetPostRoles memory request = IAgencyRegistry.SetPostRoles(_a, _head, 4, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(registry.SET_POST_ROLES_TYPEHASH(), request));
        uint256 here = block.chainid;
        VM.chainId(chain);
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        VM.chainId(here);
        address root = VM.addr(_rootOf(_a));
        VM.expectPartialRevert(ISignedRequests.InvalidSignature.selector);
        registry.setPostRolesBySig(request, root, signature);
    }

    function test_request_withOneFieldAlteredIsRefused(uint32 roles) public {
        roles = roles % Roles.ALL;
        VM.assume(roles != Roles.DEPT_HEAD);
        IAgencyRegistry.SetPostRoles memory request = IAgencyRegistry.SetPostRoles(_a, _head, 4, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(registry.SET_POST_ROLES_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        request.roles = roles;
        address root = VM.addr(_rootOf(_a));
        VM.expectPartialRevert(ISignedRequests.InvalidSignature.selector);
        registry.setPostRolesBySig(request, root, signature);
    }

    function test_key_mayBeAContractAccount() public {
        IAgencyRegistry.BindKey memory request = IAgencyRegistry.BindKey(
            _a,
            _head,
            address(0x1271),
            0,
            LATER,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(registry.BIND_KEY_TYPEHASH(), request));
        Wallet wallet = new Wallet(_digest(address(registry), structHash));
        VM.etch(address(0x1271), address(wallet).code);
        bytes memory signature = _sign(_rootOf(_a), address(registry), structHash);
        registry.bindKeyBySig(request, VM.addr(_rootOf(_a)), signature, "any bytes");
        registry.authorise(_head, address(0x1271), Roles.PROVIDER_OFFICE_HEAD);
        require(registry.lastPostOf(address(0x1271)) == _head, "bound");
    }

    // External forms of the shared steps, so that a refusal is that of the last call.

    function register(bytes32 agency, bytes32 post, uint32 roles) external {
        _register(agency, post, roles);
    }

    function setRoles(bytes32 agency, bytes32 post, uint32 roles) external {
        _setRoles(agency, post, roles);
    }

    function bind(bytes32 agency, bytes32 post, uint256 key, uint64 validFrom, uint64 validTo) external {
        _bind(agency, post, key, validFrom, validTo);
    }

    function rotate(bytes32 agency, bytes32 post, uint256 oldKey, uint256 newKey) external {
        _rotate(agency, post, oldKey, newKey);
    }

    function retireKey(bytes32 agency, bytes32 post, uint256 key) external {
        _retireKey(agency, post, key);
    }

    function retirePost(bytes32 agency, bytes32 post) external {
        _retirePost(agency, post);
    }

    function _expectDenied(bytes32 post, address key, uint32 roles, bytes memory refusal) private {
        VM.expectRevert(refusal);
        registry.authorise(post, key, roles);
    }

    function _admission(bytes32 agency) private returns (IAgencyRegistry.AdmitAgency memory request) {
        return
            IAgencyRegistry.AdmitAgency(
                agency,
                keccak256("name"),
                VM.addr(_rootOf(agency)),
                0,
                keccak256("profile"),
                _nonce(),
                LATER
            );
    }

    function _signedAdmission(
        uint256 key,
        IAgencyRegistry.AdmitAgency memory request
    ) private view returns (bytes memory signature) {
        bytes32 structHash = keccak256(abi.encode(registry.ADMIT_AGENCY_TYPEHASH(), request));
        return _sign(key, address(registry), structHash);
    }
}
