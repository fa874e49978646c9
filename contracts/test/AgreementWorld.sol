// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgreementLedger} from "../interfaces/IAgreementLedger.sol";
import {Roles} from "../libraries/Roles.sol";
import {VM} from "./Vm.sol";
import {World} from "./World.sol";

/// @title A provider, two requesters and an authority, and agreements made between them with few words
abstract contract AgreementWorld is World {
    bytes32 internal constant ID = keccak256("agreement");

    bytes32 internal provider;
    bytes32 internal requesterB;
    bytes32 internal requesterC;
    bytes32 internal authority;
    bytes32 internal deptHead;
    bytes32 internal headA;
    bytes32 internal headB;
    bytes32 internal headC;
    bytes32 internal supervisor;

    function _deployWithAgencies() internal {
        _deploy();
        provider = _agency("A", 0);
        requesterB = _agency("B", 0);
        requesterC = _agency("C", 0);
        authority = _agency("authority", Roles.SHARING_AUTHORITY);
        deptHead = _post(provider, "dept", Roles.DEPT_HEAD);
        headA = _post(provider, "head", Roles.PROVIDER_OFFICE_HEAD);
        headB = _post(requesterB, "head", Roles.REQUESTER_OFFICE_HEAD);
        headC = _post(requesterC, "head", Roles.REQUESTER_OFFICE_HEAD);
        supervisor = _post(authority, "supervisor", Roles.SHARING_AUTHORITY);
        _publish(deptHead, "x", 1, 1, false);
        _publish(deptHead, "y", 1, 2, true);
    }

    /// @dev Terms of A and B with one grant of dataset x, from now on and for 1,000 seconds.
    function _terms(uint32 version) internal view returns (IAgreementLedger.Terms memory terms) {
        terms.agreement = ID;
        terms.version = version;
        terms.provider = provider;
        terms.parties = new bytes32[](2);
        terms.parties[0] = provider;
        terms.parties[1] = requesterB;
        terms.text = keccak256("text");
        terms.grants = new IAgreementLedger.Grant[](1);
        terms.grants[0] = _grant("x", requesterB);
    }

    /// @dev As `_terms`, with C as a third party and a grant for it.
    function _termsOfThree(uint32 version) internal view returns (IAgreementLedger.Terms memory terms) {
        terms = _terms(version);
        terms.parties = new bytes32[](3);
        (terms.parties[0], terms.parties[1], terms.parties[2]) = (provider, requesterB, requesterC);
        terms.grants = new IAgreementLedger.Grant[](2);
        (terms.grants[0], terms.grants[1]) = (_grant("x", requesterB), _grant("x", requesterC));
    }

    function _grant(string memory code, bytes32 recipient) internal view returns (IAgreementLedger.Grant memory grant) {
        return
            IAgreementLedger.Grant({
                dataset: _dataset(provider, code),
                datasetVersion: 1,
                recipient: recipient,
                purpose: keccak256("purpose"),
                delivery: 1,
                validFrom: uint64(START),
                validTo: uint64(START + 1000)
            });
    }

    function _propose(bytes32 post, IAgreementLedger.Terms memory terms) internal {
        IAgreementLedger.Propose memory request = IAgreementLedger.Propose(post, terms, _nonce(), LATER);
        bytes32 structHash = keccak256(
            abi.encode(
                agreements.PROPOSE_TYPEHASH(),
                post,
                agreements.hashTerms(terms),
                request.nonce,
                request.deadline
            )
        );
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.proposeBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _signTerms(bytes32 post, bytes32 agreement, uint32 version, bytes32 termsHash) internal {
        IAgreementLedger.Sign memory request = IAgreementLedger.Sign(
            post,
            agreement,
            version,
            termsHash,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(agreements.SIGN_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.signBySig(request, VM.addr(_keyOf(post)), signature);
    }

    /// @dev Signs the version as the ledger holds it.
    function _signVersion(bytes32 post, bytes32 agreement, uint32 version) internal {
        _signTerms(post, agreement, version, agreements.versionOf(agreement, version).termsHash);
    }

    function _cancel(bytes32 post, bytes32 agreement, uint32 version) internal {
        IAgreementLedger.CancelProposal memory request = IAgreementLedger.CancelProposal(
            post,
            agreement,
            version,
            REASON,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(agreements.CANCEL_PROPOSAL_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.cancelProposalBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _suspend(bytes32 post, bytes32 agreement) internal {
        IAgreementLedger.Suspend memory request = IAgreementLedger.Suspend(post, agreement, REASON, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(agreements.SUSPEND_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.suspendBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _resume(bytes32 post, bytes32 agreement) internal {
        IAgreementLedger.Resume memory request = IAgreementLedger.Resume(post, agreement, REASON, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(agreements.RESUME_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.resumeBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _terminate(bytes32 post, bytes32 agreement) internal {
        IAgreementLedger.Terminate memory request = IAgreementLedger.Terminate(
            post,
            agreement,
            REASON,
            _nonce(),
            LATER
        );
        bytes32 structHash = keccak256(abi.encode(agreements.TERMINATE_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.terminateBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _dispose(bytes32 post, bytes32 agreement) internal {
        IAgreementLedger.Dispose memory request = IAgreementLedger.Dispose(post, agreement, REASON, _nonce(), LATER);
        bytes32 structHash = keccak256(abi.encode(agreements.DISPOSE_TYPEHASH(), request));
        bytes memory signature = _sign(_keyOf(post), address(agreements), structHash);
        agreements.disposeBySig(request, VM.addr(_keyOf(post)), signature);
    }

    function _makeActive() internal {
        _propose(headA, _terms(1));
        _signVersion(headA, ID, 1);
        _signVersion(headB, ID, 1);
    }

    function _status() internal view returns (IAgreementLedger.Status status) {
        return agreements.agreementOf(ID).status;
    }
}
