"""Evidence: proving a record to somebody who trusts nothing of ours but a small trust root.

    report = verify(evidence_bytes, trust_root_bytes)
    report.holds         # every step that applies passed
    report.steps         # numbered as in docs/spec/evidence-v1.md
    report.assurance     # OPERATOR_ONLY, WITNESSED k/n, VALIDATORS k/n

Pure: no file, network, clock or setting. What is wrong with the bytes is in the report; nothing raises.
"""

from ledger.evidence.report import Report, Status, Step
from ledger.evidence.trust_root import fingerprint, parse_trust_root
from ledger.evidence.verification import verify

__all__ = ["Report", "Status", "Step", "fingerprint", "parse_trust_root", "verify"]
