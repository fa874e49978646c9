// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgreementLedger} from "../interfaces/IAgreementLedger.sol";

/// @title The EIP-712 struct hash of an agreement's terms
library TermsHash {
    bytes32 internal constant GRANT_TYPEHASH = keccak256(
        "Grant(bytes32 dataset,uint32 datasetVersion,bytes32 recipient,bytes32 purpose,uint8 delivery,"
        "uint64 validFrom,uint64 validTo)"
    );
    bytes32 internal constant TERMS_TYPEHASH = keccak256(
        "Terms(bytes32 agreement,uint32 version,bytes32 provider,bytes32[] parties,bytes32 text,bytes32 review,"
        "uint64 reviewValidUntil,Grant[] grants)"
        "Grant(bytes32 dataset,uint32 datasetVersion,bytes32 recipient,bytes32 purpose,uint8 delivery,"
        "uint64 validFrom,uint64 validTo)"
    );

    function hash(IAgreementLedger.Terms calldata terms) internal pure returns (bytes32 termsHash) {
        bytes32[] memory grants = new bytes32[](terms.grants.length);
        for (uint256 i = 0; i < grants.length; ++i) {
            grants[i] = keccak256(abi.encode(GRANT_TYPEHASH, terms.grants[i]));
        }
        return
            keccak256(
                abi.encode(
                    TERMS_TYPEHASH,
                    terms.agreement,
                    terms.version,
                    terms.provider,
                    keccak256(abi.encodePacked(terms.parties)),
                    terms.text,
                    terms.review,
                    terms.reviewValidUntil,
                    keccak256(abi.encodePacked(grants))
                )
            );
    }
}
