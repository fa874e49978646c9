"""Every verb by name: what it is asked, and the use-case that answers.

The command line and the socket of ``quanze up`` go through this table; the API calls the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.service import (
    agencies,
    agreement_changes,
    agreements,
    anchoring,
    asking_history,
    asking_proof,
    asking_responsible,
    asking_right,
    case_views,
    cases,
    catalogue,
    event_lines,
    event_states,
    event_submission,
    event_views,
    evidence,
    evidence_batches,
    fsck,
    keys,
    log_moves,
    posts,
    responsibilities,
    signed_requests,
    status,
    upkeep,
)
from ledger.service.importing import agreements as agreement_import
from ledger.service.importing import decisions, exchanges
from ledger.service.importing.tally import ImportExchanges, ImportRecords
from ledger.service.requests import Nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.service.requests import Request


@dataclass(frozen=True, slots=True)
class Verb:
    """A use-case under its public name.

    A long one also takes a progress function. One that ``runs_beside`` others waits for none and takes what locks it
    needs itself.
    """

    name: str
    request: type[Request]
    run: Callable[..., Any]
    is_long: bool = False
    runs_beside: bool = False


_ALL: Final = (
    Verb("status", Nothing, status.status),
    Verb("agency.add", agencies.AddAgency, agencies.add_agency),
    Verb("agency.list", Nothing, agencies.list_agencies),
    Verb("agency.show", agencies.ShowAgency, agencies.show_agency),
    Verb("post.add", posts.AddPost, posts.add_post),
    Verb("post.list", posts.ListPosts, posts.list_posts),
    Verb("post.show", posts.ShowPost, posts.show_post),
    Verb("key.new", keys.NewKey, keys.new_key),
    Verb("key.list", Nothing, keys.list_keys),
    Verb("key.bind", keys.BindNewKey, keys.bind_key),
    Verb("key.rotate", keys.RotatePostKey, keys.rotate_key),
    Verb("catalogue.add", catalogue.AddEntry, catalogue.add_entry),
    Verb("catalogue.list", catalogue.ListEntries, catalogue.list_entries),
    Verb("catalogue.show", catalogue.ShowEntry, catalogue.show_entry),
    Verb("agreement.draft", agreements.DraftAgreement, agreements.draft_agreement),
    Verb("agreement.amend", agreements.AmendAgreement, agreements.amend_agreement),
    Verb("agreement.sign", agreements.SignAgreement, agreements.sign_agreement),
    Verb("agreement.show", agreements.ShowAgreement, agreements.show_agreement),
    Verb("agreement.list", agreements.ListAgreements, agreements.list_agreements),
    Verb("agreement.suspend", agreement_changes.ChangeAgreement, agreement_changes.suspend_agreement),
    Verb("agreement.resume", agreement_changes.ChangeAgreement, agreement_changes.resume_agreement),
    Verb("agreement.terminate", agreement_changes.ChangeAgreement, agreement_changes.terminate_agreement),
    Verb("agreement.cancel", agreement_changes.ChangeAgreement, agreement_changes.cancel_proposal),
    Verb("agreement.dispose", agreement_changes.DisposeAgreement, agreement_changes.dispose_agreement),
    Verb("responsibility.assign", responsibilities.AssignDuty, responsibilities.assign_duty),
    Verb("responsibility.accept", responsibilities.AcceptDuty, responsibilities.accept_duty),
    Verb("responsibility.hand-over", responsibilities.HandOverDuty, responsibilities.hand_over_duty),
    Verb("responsibility.vacate", responsibilities.VacateDuty, responsibilities.vacate_duty),
    Verb("responsibility.list", responsibilities.ListResponsibilities, responsibilities.list_responsibilities),
    Verb("case.file", cases.FileCase, cases.file_case),
    Verb("case.tell", cases.TakeStep, cases.tell_facts),
    Verb("case.decide", cases.DecideCase, cases.decide_case),
    Verb("case.notify", cases.TakeStep, cases.notify_case),
    Verb("case.rectify", cases.RectifyCase, cases.rectify_case),
    Verb("case.review", cases.ReviewCase, cases.review_case),
    Verb("case.close", cases.TakeStep, cases.close_case),
    Verb("case.appeal", cases.TakeStep, cases.appeal_case),
    Verb("case.withdraw", cases.TakeStep, cases.withdraw_case),
    Verb("case.reopen", cases.TakeStep, cases.reopen_case),
    Verb("case.list", case_views.ListCases, case_views.list_cases),
    Verb("case.show", case_views.ShowCase, case_views.show_case),
    Verb("event.append-lines", event_lines.AppendLines, event_lines.append_lines),
    Verb("event.append", event_submission.AppendSigned, event_submission.append_signed),
    Verb("request.send", signed_requests.SendSigned, signed_requests.send_signed),
    Verb("event.list", event_views.ListEvents, event_views.list_events),
    Verb("event.show", event_views.ShowEvent, event_views.show_event),
    Verb("event.state", event_states.ShowState, event_states.event_state, runs_beside=True),
    Verb("event.last", event_views.LastEvent, event_views.last_event),
    Verb("responsibility.who", asking_responsible.AskResponsible, asking_responsible.ask_responsible),
    Verb("ask.right", asking_right.AskRight, asking_right.ask_right),
    Verb("ask.responsible", asking_responsible.AskResponsible, asking_responsible.ask_responsible),
    Verb("ask.history", asking_history.AskHistory, asking_history.ask_history),
    Verb("ask.prove", asking_proof.AskProof, asking_proof.ask_proof),
    Verb("import.nhs-dsa", ImportRecords, agreement_import.import_agreements, is_long=True),
    Verb("import.xroad-opmon", ImportExchanges, exchanges.import_exchanges, is_long=True),
    Verb("import.violation-cases", ImportRecords, decisions.import_decisions, is_long=True),
    Verb("evidence.export", evidence.ExportEvidence, evidence.export_evidence),
    Verb("evidence.events", evidence_batches.ExportEvents, evidence_batches.export_events),
    Verb("evidence.stream", evidence_batches.ExportStream, evidence_batches.export_stream),
    Verb("trust-root.export", Nothing, evidence.export_trust_root),
    Verb("fsck", fsck.Fsck, fsck.fsck, is_long=True, runs_beside=True),
    Verb("log.migrate", log_moves.MoveLog, log_moves.move_log, is_long=True, runs_beside=True),
    Verb("rebuild", Nothing, upkeep.rebuild, is_long=True),
    Verb("backup", upkeep.Backup, upkeep.backup, is_long=True, runs_beside=True),
    Verb("anchor", anchoring.Anchor, anchoring.anchor),
)

VERBS: Final[Mapping[str, Verb]] = {verb.name: verb for verb in _ALL}
