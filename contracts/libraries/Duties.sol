// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IResponsibilityLedger} from "../interfaces/IResponsibilityLedger.sol";
import {Roles} from "./Roles.sol";

/// @title What responsibilities are made of: codes as in `ledger/domain/codes.py`, intervals, and shares
library Duties {
    uint8 internal constant LAST_DUTY = 12;

    uint8 internal constant DATASET = 1;
    uint8 internal constant AGREEMENT = 2;
    uint8 internal constant PLATFORM = 3;

    uint8 internal constant LEAD = 1;
    uint8 internal constant LAST_ROLE = 4;

    uint8 internal constant HANDED_OVER = 1;
    uint8 internal constant VACATED = 2;
    uint8 internal constant REVOKED = 3;

    uint16 internal constant WHOLE_BPS = 10_000;
    uint64 internal constant OPEN_END = type(uint64).max;

    /// @dev What duties about the platform as a whole are about.
    bytes32 internal constant PLATFORM_OBJECT = keccak256("platform");

    uint32 internal constant HEADS = Roles.OFFICE_HEADS | Roles.DEPT_HEAD;
    uint32 internal constant PLATFORM_ROLES = Roles.SHARING_AUTHORITY | Roles.SUPERIOR | Roles.PLATFORM_OPERATOR;

    /// @notice Refuses codes without a meaning, and an interval without a second.
    function check(IResponsibilityLedger.Assign calldata request) internal pure {
        if (request.assignment == 0) revert IResponsibilityLedger.ResponsibilityFieldInvalid("assignment", 0);
        if (request.duty == 0 || request.duty > LAST_DUTY) {
            revert IResponsibilityLedger.ResponsibilityFieldInvalid("duty", request.duty);
        }
        if (request.objectKind == 0 || request.objectKind > PLATFORM) {
            revert IResponsibilityLedger.ResponsibilityFieldInvalid("objectKind", request.objectKind);
        }
        if (request.role == 0 || request.role > LAST_ROLE) {
            revert IResponsibilityLedger.ResponsibilityFieldInvalid("role", request.role);
        }
        if (request.shareBps > WHOLE_BPS) {
            revert IResponsibilityLedger.ResponsibilityFieldInvalid("shareBps", request.shareBps);
        }
        if ((request.objectKind == PLATFORM) != (request.object == PLATFORM_OBJECT)) {
            revert IResponsibilityLedger.ResponsibilityFieldInvalid("object", uint256(request.object));
        }
        if (request.validTo != 0 && request.validTo <= request.validFrom) {
            revert IResponsibilityLedger.ResponsibilityIntervalEmpty(request.validFrom, request.validTo);
        }
    }

    /// @notice Returns the key of everything recorded about a duty for an object.
    function key(uint8 duty, bytes32 object) internal pure returns (bytes32) {
        return keccak256(abi.encode(duty, object));
    }

    /// @notice Returns the roles, one of which must be held to assign duties about such an object.
    function assigners(uint8 objectKind) internal pure returns (uint32) {
        return objectKind == PLATFORM ? PLATFORM_ROLES : HEADS;
    }

    /// @notice Says whether two assignments count at the same time at some second.
    function overlap(
        IResponsibilityLedger.Assignment storage one,
        IResponsibilityLedger.Assignment storage other
    ) internal view returns (bool) {
        return
            one.validFrom < other.validTo &&
            other.validFrom < one.validTo &&
            one.validFrom < one.validTo &&
            other.validFrom < other.validTo;
    }

    /// @notice Returns the most that the shares of `others` come to at one time within the interval of `found`, and when.
    /// @dev The sum can only rise where an interval starts, so it is taken at each start within, and at the first second.
    function mostShared(
        IResponsibilityLedger.Assignment memory found,
        IResponsibilityLedger.Assignment[] memory others
    ) internal pure returns (uint256 most, uint64 at) {
        at = found.validFrom;
        most = _sharedAt(others, at);
        for (uint256 i = 0; i < others.length; i++) {
            uint64 start = others[i].validFrom;
            if (start <= found.validFrom) continue;
            uint256 sum = _sharedAt(others, start);
            if (sum > most) (most, at) = (sum, start);
        }
    }

    function _sharedAt(
        IResponsibilityLedger.Assignment[] memory others,
        uint64 time
    ) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < others.length; i++) {
            if (others[i].validFrom <= time && time < others[i].validTo) sum += others[i].shareBps;
        }
    }
}
