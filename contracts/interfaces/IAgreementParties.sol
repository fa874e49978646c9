// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Who the parties of agreements are, for contracts that give parties a say
interface IAgreementParties {
    /// @notice Says whether an agency is a party of an agreement in its newest version, active or proposed.
    /// @param agreement The agreement; one that does not exist has no parties.
    /// @param agency The agency's id.
    function isParty(bytes32 agreement, bytes32 agency) external view returns (bool);
}
