// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {AgencyRegistry} from "../AgencyRegistry.sol";
import {AgreementLedger} from "../AgreementLedger.sol";
import {Catalogue} from "../Catalogue.sol";
import {IAgencyRegistry} from "../interfaces/IAgencyRegistry.sol";
import {ICatalogue} from "../interfaces/ICatalogue.sol";
import {VM} from "./Vm.sol";

/// @title The deployed contracts, and agencies, posts and entries made with few words
/// @dev The test contract is admin and registrar. An agency's root key and a post's key follow from their ids.
abstract contract World {
    uint256 internal constant START = 1_800_000_000;
    uint64 internal constant LATER = type(uint64).max;
    bytes32 internal constant REASON = keccak256("reason");

    AccessManager internal manager;
    AgencyRegistry internal registry;
    Catalogue internal catalogue;
    AgreementLedger internal agreements;

    uint256 private _nonces;

    function _deploy() internal {
        VM.warp(START);
        manager = new AccessManager(address(this));
        registry = new AgencyRegistry(address(manager));
        catalogue = new Catalogue(registry);
        agreements = new AgreementLedger(registry, catalogue);
    }

    // Keys and signatures

    function _rootOf(bytes32 agency) internal pure returns (uint256 privateKey) {
        return _key(keccak256(abi.encode("root", agency)));
    }

    function _keyOf(bytes32 post) internal pure returns (uint256 privateKey) {
        return _key(keccak256(abi.encode("key", post)));
    }

    /// @dev A private key from any 32 bytes: 1 to 2^252, below the group's order.
    function _key(bytes32 seed) internal pure returns (uint256 privateKey) {
        return (uint256(seed) >> 4) + 1;
    }

    function _nonce() internal returns (uint256 nonce) {
        return ++_nonces << 64;
    }

    function _digest(address verifier, bytes32 structHash) internal view returns (bytes32 digest) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Quanze"),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _sign(
        uint256 privateKey,
        address verifier,
        bytes32 structHash
    ) internal view returns (bytes memory signature) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(privateKey, _digest(verifier, structHash));
        return abi.encodePacked(r, s, v);
    }

    // Agencies and posts

    function _agency(string memory name, uint32 capacities) internal returns (bytes32 agency) {
        agency = keccak256(bytes(name));
        IAgencyRegistry.AdmitAgency memory request = IAgencyRegistry.AdmitAgency({
            agency: agency,
            scheme: keccak256("name"),
            rootKey: VM.addr(_rootOf(agency)),
            capacities: capacities,
            profile: keccak256("profile"),
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.ADMIT_AGENCY_TYPEHASH(), request));
        registry.admitAgency(request, _sign(_rootOf(agency), address(registry), structHash));
    }

    function _postId(bytes32 agency, bytes32 code) internal pure returns (bytes32) {
        return keccak256(abi.encode(agency, code));
    }

    /// @dev A post with a key bound to it from now on.
    function _post(bytes32 agency, string memory name, uint32 roles) internal returns (bytes32 post) {
        post = _register(agency, keccak256(bytes(name)), roles);
        _bind(agency, post, _keyOf(post), 0, LATER);
    }

    function _register(bytes32 agency, bytes32 code, uint32 roles) internal returns (bytes32 post) {
        post = _postId(agency, code);
        IAgencyRegistry.RegisterPost memory request = IAgencyRegistry.RegisterPost({
            agency: agency,
            code: code,
            roles: roles,
            profile: keccak256("profile"),
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.REGISTER_POST_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        registry.registerPostBySig(request, VM.addr(_rootOf(agency)), signature);
    }

    function _bind(bytes32 agency, bytes32 post, uint256 key, uint64 validFrom, uint64 validTo) internal {
        IAgencyRegistry.BindKey memory request = IAgencyRegistry.BindKey({
            agency: agency,
            post: post,
            key: VM.addr(key),
            validFrom: validFrom,
            validTo: validTo,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.BIND_KEY_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        bytes memory possession = _sign(key, address(registry), structHash);
        registry.bindKeyBySig(request, VM.addr(_rootOf(agency)), signature, possession);
    }

    function _rotate(bytes32 agency, bytes32 post, uint256 oldKey, uint256 newKey) internal {
        IAgencyRegistry.RotateKey memory request = IAgencyRegistry.RotateKey({
            agency: agency,
            post: post,
            oldKey: VM.addr(oldKey),
            newKey: VM.addr(newKey),
            validTo: LATER,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.ROTATE_KEY_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        bytes memory possession = _sign(newKey, address(registry), structHash);
        registry.rotateKeyBySig(request, VM.addr(_rootOf(agency)), signature, possession);
    }

    function _retireKey(bytes32 agency, bytes32 post, uint256 key) internal {
        IAgencyRegistry.RetireKey memory request = IAgencyRegistry.RetireKey({
            agency: agency,
            post: post,
            key: VM.addr(key),
            reason: REASON,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.RETIRE_KEY_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        registry.retireKeyBySig(request, VM.addr(_rootOf(agency)), signature);
    }

    function _retirePost(bytes32 agency, bytes32 post) internal {
        IAgencyRegistry.RetirePost memory request = IAgencyRegistry.RetirePost({
            agency: agency,
            post: post,
            reason: REASON,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.RETIRE_POST_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        registry.retirePostBySig(request, VM.addr(_rootOf(agency)), signature);
    }

    function _setRoles(bytes32 agency, bytes32 post, uint32 roles) internal {
        IAgencyRegistry.SetPostRoles memory request = IAgencyRegistry.SetPostRoles({
            agency: agency,
            post: post,
            roles: roles,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(registry.SET_POST_ROLES_TYPEHASH(), request));
        bytes memory signature = _sign(_rootOf(agency), address(registry), structHash);
        registry.setPostRolesBySig(request, VM.addr(_rootOf(agency)), signature);
    }

    // Entries

    function _dataset(bytes32 agency, string memory code) internal pure returns (bytes32 dataset) {
        return keccak256(abi.encode(agency, keccak256(bytes(code))));
    }

    /// @dev attribute 1 unconditional, 2 conditional, 3 not shared (which cites a law).
    function _publish(bytes32 post, string memory code, uint32 version, uint8 attribute, bool reviewRequired) internal {
        _publish(
            ICatalogue.PublishEntry({
                post: post,
                code: keccak256(bytes(code)),
                version: version,
                attribute: attribute,
                grade: 1,
                reviewRequired: reviewRequired,
                law: attribute == 3 ? keccak256("law") : bytes32(0),
                content: keccak256("content"),
                nonce: _nonce(),
                deadline: LATER
            })
        );
    }

    function _publish(ICatalogue.PublishEntry memory request) internal {
        bytes32 structHash = keccak256(abi.encode(catalogue.PUBLISH_ENTRY_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(request.post), address(catalogue), structHash);
        catalogue.publishEntryBySig(request, VM.addr(_keyOf(request.post)), signature);
    }

    function _withdraw(bytes32 post, bytes32 dataset, uint32 version) internal {
        ICatalogue.WithdrawEntry memory request = ICatalogue.WithdrawEntry({
            post: post,
            dataset: dataset,
            version: version,
            reason: REASON,
            nonce: _nonce(),
            deadline: LATER
        });
        bytes32 structHash = keccak256(abi.encode(catalogue.WITHDRAW_ENTRY_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(catalogue), structHash);
        catalogue.withdrawEntryBySig(request, VM.addr(_keyOf(post)), signature);
    }
}
