// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Roles} from "./Roles.sol";

/// @title The steps of a case, their order, and who signs them
/// @dev The table of `ledger/domain/case_state.py` (`NEXT`), as bits: a step's bit is `1 << step`.
library CaseSteps {
    uint8 internal constant LEAD = 1;
    uint8 internal constant FILED = 2;
    uint8 internal constant FACTS_TOLD = 3;
    uint8 internal constant DECIDED = 4;
    uint8 internal constant NOTICE_ISSUED = 5;
    uint8 internal constant RECTIFYING = 6;
    uint8 internal constant EVIDENCE_FILED = 7;
    uint8 internal constant VERIFIED = 9;
    uint8 internal constant REWORK = 10;
    uint8 internal constant CLOSED = 11;
    uint8 internal constant APPEAL_FILED = 12;
    uint8 internal constant APPEAL_UPHELD = 13;
    uint8 internal constant APPEAL_VARIED = 14;
    uint8 internal constant APPEAL_REVOKED = 15;
    uint8 internal constant WITHDRAWN = 16;
    uint8 internal constant REOPENED = 17;
    uint8 internal constant NO_ACTION = 18;

    /// @dev In what capacity a post took part; any of them bars it from reviewing.
    uint8 internal constant INVESTIGATOR = 1;
    uint8 internal constant DECIDER = 2;
    uint8 internal constant RECTIFIER = 4;
    uint8 internal constant APPELLANT = 8;

    uint32 internal constant AUTHORITY = Roles.SHARING_AUTHORITY | Roles.SUPERIOR;
    uint32 internal constant INVESTIGATING = Roles.INSPECTOR | AUTHORITY;
    uint32 internal constant RESPONDING = Roles.OFFICE_HEADS | Roles.DEPT_HEAD;

    uint32 private constant _APPEAL_OUTCOMES =
        (uint32(1) << APPEAL_UPHELD) | (uint32(1) << APPEAL_VARIED) | (uint32(1) << APPEAL_REVOKED);

    /// @notice Returns the steps that may follow `step` on the main track; of 0, the steps that start a case.
    function next(uint8 step) internal pure returns (uint32) {
        if (step == 0) return _bits(LEAD, FILED);
        if (step == LEAD) return _bits(FILED, NO_ACTION);
        if (step == FILED) return _bits(FACTS_TOLD, WITHDRAWN);
        if (step == FACTS_TOLD) return _bits(FACTS_TOLD, DECIDED) | _bit(WITHDRAWN);
        if (step == DECIDED) return _bits(NOTICE_ISSUED, RECTIFYING) | _bits(CLOSED, WITHDRAWN);
        if (step == NOTICE_ISSUED) return _bits(RECTIFYING, CLOSED) | _bit(WITHDRAWN);
        if (step == RECTIFYING) return _bits(EVIDENCE_FILED, NOTICE_ISSUED) | _bit(WITHDRAWN);
        if (step == EVIDENCE_FILED) return _bits(VERIFIED, REWORK);
        if (step == REWORK) return _bits(EVIDENCE_FILED, WITHDRAWN);
        if (step == VERIFIED) return _bits(CLOSED, NOTICE_ISSUED);
        if (step == CLOSED) return _bit(REOPENED);
        if (step == REOPENED) return _bits(FACTS_TOLD, RECTIFYING) | _bit(WITHDRAWN);
        return 0; // NO_ACTION and WITHDRAWN end a case.
    }

    /// @notice Says whether `step` may come next.
    /// @param last The main track's last step.
    /// @param appeal The appeal's last step, 0 for none.
    /// @param decided Whether there was a decision, which an appeal may be filed against.
    /// @param step The step asked for.
    function mayFollow(uint8 last, uint8 appeal, bool decided, uint8 step) internal pure returns (bool) {
        uint32 allowed = next(last);
        if (appeal == APPEAL_FILED) allowed |= _APPEAL_OUTCOMES;
        else if (decided) allowed |= _bit(APPEAL_FILED);
        return step <= NO_ACTION && allowed & _bit(step) != 0;
    }

    /// @notice Returns the roles, one of which the step's signer must hold.
    /// @dev For evidence and appeals it depends on whose post signs: `RESPONDING` for the respondent's, `INVESTIGATING`
    /// for the authority's, which records what it received.
    function signers(uint8 step) internal pure returns (uint32) {
        if (isResponse(step)) return INVESTIGATING | RESPONDING;
        if (isReview(step)) return Roles.REVIEWER;
        if (step <= FACTS_TOLD || step == REOPENED) return INVESTIGATING;
        return AUTHORITY;
    }

    /// @notice Says whether the step is one that the respondent takes, once there is a notice.
    function isResponse(uint8 step) internal pure returns (bool) {
        return step == EVIDENCE_FILED || step == APPEAL_FILED;
    }

    /// @notice Says whether the step needs a post that took no part before.
    function isReview(uint8 step) internal pure returns (bool) {
        return step == VERIFIED || step == REWORK || isAppealOutcome(step);
    }

    /// @notice Says whether the step ends an appeal.
    function isAppealOutcome(uint8 step) internal pure returns (bool) {
        return step >= APPEAL_UPHELD && step <= APPEAL_REVOKED;
    }

    /// @notice Says whether the step makes public whom the case is about.
    function isOpening(uint8 step) internal pure returns (bool) {
        return step == NOTICE_ISSUED || step == CLOSED || step == WITHDRAWN;
    }

    /// @notice Returns the capacity in which the step's signer takes part; 0 for those that do not bar a review.
    function capacity(uint8 step) internal pure returns (uint8) {
        if (step == FILED || step == FACTS_TOLD) return INVESTIGATOR;
        if (step == DECIDED) return DECIDER;
        if (step == EVIDENCE_FILED) return RECTIFIER;
        return step == APPEAL_FILED ? APPELLANT : 0;
    }

    /// @notice Returns the first capacity in a word.
    function capacityName(uint8 capacities) internal pure returns (string memory) {
        if (capacities & INVESTIGATOR != 0) return "investigator";
        if (capacities & DECIDER != 0) return "decider";
        return capacities & RECTIFIER != 0 ? "rectifier" : "appellant";
    }

    function _bit(uint8 step) private pure returns (uint32) {
        return uint32(1) << step;
    }

    function _bits(uint8 one, uint8 other) private pure returns (uint32) {
        return _bit(one) | _bit(other);
    }
}
