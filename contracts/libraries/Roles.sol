// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What a post may do: the bits of `roles`, as in `ledger/domain/codes.py`
library Roles {
    uint32 internal constant PROVIDER_OFFICE_HEAD = 1;
    uint32 internal constant REQUESTER_OFFICE_HEAD = 2;
    uint32 internal constant DEPT_HEAD = 4;
    uint32 internal constant SHARING_AUTHORITY = 8;
    uint32 internal constant SUPERIOR = 16;
    uint32 internal constant INSPECTOR = 32;
    uint32 internal constant REVIEWER = 64;
    uint32 internal constant ASSESSOR = 128;
    uint32 internal constant PLATFORM_OPERATOR = 256;
    uint32 internal constant REPORTER = 512;

    uint32 internal constant ALL = 1023;

    /// @dev Posts of any agency may hold these; the others need the same bit in the agency's capacities.
    uint32 internal constant COMMON = PROVIDER_OFFICE_HEAD | REQUESTER_OFFICE_HEAD | DEPT_HEAD | REPORTER;

    uint32 internal constant OFFICE_HEADS = PROVIDER_OFFICE_HEAD | REQUESTER_OFFICE_HEAD;
}
