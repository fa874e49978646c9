"""The explorer's pages: each parses its address, calls one use-case, and renders what it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.explorer.i18n import HTML_LANGUAGE, asked_language, choose_language, code_name, translate
from api.explorer.pictures import Interval, Lane, merkle_picture, timeline
from api.explorer.rendering import Look, Pages
from ledger.domain.codes import Duty
from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError
from ledger.service.asking_responsible import AskResponsible, ask_responsible
from ledger.service.asking_right import AskRight, ask_right
from ledger.service.pages.agencies import AgenciesPage, AgencyPage, agencies_page, agency_page
from ledger.service.pages.agreements import (
    AgreementPage,
    AgreementsPage,
    SharingPage,
    agreement_page,
    agreements_page,
    sharing_page,
)
from ledger.service.pages.choices import all_agencies, all_datasets
from ledger.service.pages.log import EntryPage, LogPage, entry_page, log_page
from ledger.service.pages.notices import NoticePage, NoticesPage, notice_counts, notice_page, notices_page
from ledger.service.pages.overview import overview_page
from ledger.service.pages.responsibility import ResponsibilityPage, all_objects, responsibility_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from api.explorer.i18n import Language
    from api.explorer.pictures import MerklePicture, Timeline
    from ledger.service.pages.log import ProofView
    from ledger.service.pages.names import Name
    from ledger.service.pages.responsibility import HoldingLine, ResponsibilityView
    from ledger.service.services import Services

_LONGEST: Final = 700
"""A longer value in an address names nothing on the ledger."""
_ASKED: Final = ("agency", "dataset", "at", "known_at", "duty", "object", "duty_at", "duty_known_at")


class Explorer:
    """The pages over one home's services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pages = Pages()

    @property
    def _fresh(self) -> Services:
        """The services after they took what the chain has decided since."""
        self._services.state.refresh()
        return self._services

    def overview(self, request: Request) -> Response:
        """Show the totals, the state of chain and log, and the public's first question."""
        return self._page(
            request,
            "overview.html",
            view=overview_page(self._fresh),
            log=log_page(self._fresh, LogPage(limit=1)),
            agencies=all_agencies(self._fresh),
            provider="",
            recipient="",
        )

    def counters(self, request: Request) -> Response:
        """Return the totals alone, for the page that shows them to renew."""
        return self._page(request, "counters.html", view=overview_page(self._fresh))

    def agencies(self, request: Request) -> Response:
        """List the agencies."""
        after = _value(request, "after")
        page = agencies_page(self._fresh, AgenciesPage(after=after))
        return self._page(request, "agencies.html", page=page, is_later=bool(after))

    def agency(self, request: Request) -> Response:
        """Show an agency."""
        view = agency_page(self._fresh, AgencyPage(agency=request.path_params["agency"]))
        return self._page(request, "agency.html", view=view)

    def sharing(self, request: Request) -> Response:
        """Show what is shared between two agencies."""
        provider, recipient = _value(request, "provider"), _value(request, "recipient")
        view = None
        if provider and recipient:
            view = sharing_page(self._fresh, SharingPage(provider=provider, recipient=recipient))
        return self._page(
            request,
            "sharing.html",
            view=view,
            agencies=all_agencies(self._fresh),
            provider=provider,
            recipient=recipient,
        )

    def agreements(self, request: Request) -> Response:
        """List the agreements."""
        after = _value(request, "after")
        page = agreements_page(self._fresh, AgreementsPage(after=after))
        return self._page(request, "agreements.html", page=page, is_later=bool(after))

    def agreement(self, request: Request) -> Response:
        """Show an agreement."""
        view = agreement_page(self._fresh, AgreementPage(agreement=request.path_params["agreement"]))
        return self._page(request, "agreement.html", view=view)

    def responsibility(self, request: Request) -> Response:
        """Show who answered for an object, or what there is to ask about."""
        asked = _value(request, "object").strip()
        is_unknown = False
        if asked:
            try:
                view = responsibility_page(self._fresh, ResponsibilityPage(object=asked))
            except (NotFoundError, InvalidInputError, ConflictError):
                is_unknown = True
            else:
                picture = _timeline(self._language(request), view)
                return self._page(request, "responsibility.html", view=view, picture=picture)
        objects = all_objects(self._fresh)
        return self._page(
            request,
            "responsibilities.html",
            status=404 if is_unknown else 200,
            objects=objects,
            asked=asked,
            unknown=is_unknown,
        )

    def notices(self, request: Request) -> Response:
        """List the opened cases."""
        after = _value(request, "after")
        page = notices_page(self._fresh, NoticesPage(after=after))
        counts = notice_counts(self._fresh)
        return self._page(request, "notices.html", page=page, counts=counts, is_later=bool(after))

    def notice(self, request: Request) -> Response:
        """Show an opened case."""
        view = notice_page(self._fresh, NoticePage(case=request.path_params["case"]))
        return self._page(request, "notice.html", view=view)

    def log(self, request: Request) -> Response:
        """Show the log."""
        before = _value(request, "before")
        view = log_page(self._fresh, LogPage(before=before))
        return self._page(request, "log.html", view=view, is_later=bool(before))

    def find_entry(self, request: Request) -> Response:
        """Go to the entry that a form names."""
        index = _value(request, "index")
        view = entry_page(self._fresh, EntryPage(index=index))
        asked = asked_language(request.query_params.get("lang"))
        return RedirectResponse(f"/log/{view.index}" + (f"?lang={asked}" if asked else ""), status_code=303)

    def entry(self, request: Request) -> Response:
        """Show an entry and its proof."""
        view = entry_page(self._fresh, EntryPage(index=request.path_params["index"]))
        picture = _merkle(view.proof) if view.proof else None
        return self._page(request, "entry.html", view=view, picture=picture)

    def ask(self, request: Request) -> Response:
        """Show the questions."""
        return self._ask(request, {})

    def ask_right(self, request: Request) -> Response:
        """Answer by what right an agency held a dataset."""
        asked = {name: _value(request, name).strip() for name in ("agency", "dataset", "at", "known_at")}
        try:
            right = ask_right(self._fresh, AskRight(**asked))
        except (InvalidInputError, NotFoundError, ConflictError) as error:
            return self._ask(request, asked, trouble=error)
        return self._ask(request, asked, right=right)

    def ask_responsible(self, request: Request) -> Response:
        """Answer who answered for a duty."""
        asked = {name: _value(request, name).strip() for name in ("duty", "object", "at", "known_at")}
        shown = {**asked, "duty_at": asked["at"], "duty_known_at": asked["known_at"], "at": "", "known_at": ""}
        try:
            responsible = ask_responsible(self._fresh, AskResponsible(**asked))
        except (InvalidInputError, NotFoundError, ConflictError) as error:
            return self._ask(request, shown, trouble=error)
        return self._ask(request, shown, responsible=responsible)

    def problem(self, request: Request, status: int) -> Response:
        """Show that a page cannot be shown, and nothing of why that a sealed record could be read from."""
        return self._page(request, "problem.html", status=status)

    def _ask(
        self,
        request: Request,
        asked: Mapping[str, str],
        *,
        right: dict[str, Any] | None = None,
        responsible: dict[str, Any] | None = None,
        trouble: InvalidInputError | NotFoundError | ConflictError | None = None,
    ) -> Response:
        return self._page(
            request,
            "ask.html",
            status=200 if trouble is None else 422,
            right=right,
            responsible=responsible,
            trouble=_trouble(self._language(request), trouble),
            asked={name: asked.get(name, "") for name in _ASKED},
            object_asked=asked.get("object", ""),
            agencies=all_agencies(self._fresh),
            datasets=all_datasets(self._fresh),
            duties=[duty.name for duty in Duty],
        )

    def _language(self, request: Request) -> Language:
        return choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""))

    def _page(self, request: Request, template: str, *, status: int = 200, **values: object) -> Response:
        language = self._language(request)
        look = Look(
            language=language,
            is_asked=asked_language(request.query_params.get("lang")) is not None,
            path=request.url.path,
            query=tuple((name, value) for name, value in request.query_params.multi_items() if name != "lang"),
            demonstration=self._services.deployment.demonstration,
        )
        html = self._pages.render(template, look, status=status, **values)
        return HTMLResponse(html, status_code=status, headers={"content-language": HTML_LANGUAGE[language]})


def _value(request: Request, name: str) -> str:
    """Return one value of the address.

    Raises:
        InvalidInputError: It is longer than any name on the ledger.
    """
    value = request.query_params.get(name, "")
    if len(value) > _LONGEST:
        raise InvalidInputError(name, value, f"at most {_LONGEST} characters")
    return value


def _trouble(language: Language, error: InvalidInputError | NotFoundError | ConflictError | None) -> str:
    if error is None:
        return ""
    if not isinstance(error, InvalidInputError):
        return translate(language, "ask.unknown")
    labels = {"at": "ask.at", "known-at": "ask.known", "agency": "ask.agency", "duty": "responsibility.duty"}
    label = labels.get(error.field, "ask.dataset" if error.field.startswith("dataset") else "ask.field")
    return translate(language, "ask.bad", field=translate(language, label))


def _merkle(proof: ProofView) -> MerklePicture:
    running = [proof.leaf_hash, *(step.value for step in proof.steps)]
    return merkle_picture(running, [(step.is_left, step.neighbour) for step in proof.steps])


def _timeline(language: Language, view: ResponsibilityView) -> Timeline:
    lanes = [
        Lane(
            label=code_name(language, "duty", duty.duty),
            holdings=[_interval(language, held) for held in duty.holdings],
            vacancies=duty.vacancies,
        )
        for duty in view.duties
    ]
    return timeline(lanes, view.now, translate(language, "responsibility.gap"), ZoneInfo(view.zone))


def _interval(language: Language, held: HoldingLine) -> Interval:
    role = code_name(language, "role", held.role)
    return Interval(
        label=_said(language, held.post),
        title=f"{role}: {_said(language, held.post)}",
        starts_at=held.valid_from,
        ends_at=held.valid_to,
        counts=held.counts,
        is_lead=held.role == "LEAD",
    )


def _said(language: Language, named: Name) -> str:
    own, other = (named.en, named.zh) if language == "en" else (named.zh, named.en)
    return own or other or named.plain
