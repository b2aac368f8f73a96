"""The form in which a watch is created and changed; the month's cost is shown before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.library.advertisers.choice import name_advertisers
from adspark.models import CreativeFormat, Platform, Watch
from adspark.serpapi.regions import REGIONS
from adspark.validation.repeated import group_by_name
from adspark.watches.budgets import MonthEstimate, estimate_month
from adspark.watches.definition import change_definition, definition_of, pick_fields
from adspark.watches.store import Outcome
from deployments.gallery.access.visitor import ChangerDep
from deployments.gallery.forms import Form, TypedFormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.resources import Gallery, GalleryDep, PagesDep, SessionDep
from deployments.gallery.routes.watches.fields import (
    NUMBERS,
    TEXTS,
    WatchForm,
    check_numbers,
    differences,
    empty_form,
    form_of,
    read_watch_form,
)
from deployments.gallery.routes.watches.lookup import find_watch_row, read_watch_row
from deployments.gallery.routes.watches.outcome import SaveOutcome, estimate_cost, save

router = APIRouter(include_in_schema=False)

_ANY = {"name": "estimated", "text": "example.com"}  # the cost of a new one needs neither
_COSTLY = ("interval_minutes", "max_pages", "monthly_budget", "details_per_sweep")
_NOTICES = {
    Outcome.CREATED: "watch_created",
    Outcome.CHANGED: "watch_changed",
    Outcome.UNCHANGED: "watch_unchanged",
}


@dataclass
class _Editor:
    """The page with the form, for one request; `present` is the watch as it is, None a new one."""

    request: Request
    gallery: GalleryDep
    session: SessionDep
    present: Watch | None = field(init=False, default=None)
    conflicts: list[tuple[str, str, str]] = field(init=False, default_factory=list)

    async def handle(self, form: Form, user_id: int) -> Response:
        """Save what was sent where it is right and its cost was shown; else show it."""
        before = None if self.present is None else definition_of(self.present)
        written = await read_watch_form(
            self.session, form.opened(), before, user_id, self.gallery.templates.texts
        )
        if self.present and form.written("version") != self.present.updated_at.isoformat():
            return await self._show_conflict(form, written, self.present)
        if form.not_sent is not None:
            written.problems = {"name": form.not_sent}
            return await self.show(written, status=422)
        if "find" in form:
            problems = written.problems
            written.problems = {k: v for k, v in problems.items() if k == "advertiser"}
            return await self.show(written, status=422 if written.problems else 200)
        if written.definition is None:
            return await self.show(written, status=422)
        try:
            outcome = await save(self.session, written, written.definition, self.present)
        except ChangedMeanwhileError:
            await self.session.rollback()
            self.present = await read_watch_row(
                self.session, self.present.id if self.present else 0
            )
            return await self._show_conflict(form, written, self.present)
        shown = form.text("seen"), form.text("warned")
        marks = outcome and (seen_mark(outcome.estimate), warned_mark(written, outcome))
        if outcome and "save" in form and shown == marks:
            await self.session.commit()
            saved = outcome.saved
            done = "watch_anew" if saved.begins_anew else _NOTICES[saved.outcome]
            if saved.outcome is Outcome.CREATED and written.definition.monthly_budget == 0:
                done = "watch_created_no_budget"
            if self.present is None and saved.outcome is Outcome.UNCHANGED:
                done = "watch_there"  # sent twice
            return lead_to(f"/watches/{saved.id}", done)
        await self.session.rollback()
        return await self.show(written, outcome, status=200 if outcome else 422)

    async def show(
        self, form: WatchForm, outcome: SaveOutcome | None = None, *, status: int = 200
    ) -> HTMLResponse:
        """The page, with what comes of the form where that is known.

        Args:
            form: as it was typed, or as the watch is.
            outcome: what is wrong, or what it will cost.
            status: of the HTTP response.
        """
        ids = [*form.advertiser_ids, *(one.advertiser_id for one in form.found)]
        if outcome:
            estimate: MonthEstimate | None = outcome.estimate
        else:
            estimate, _ = await _estimate_typed(self.session, form, self.present)
        return self.gallery.templates.page(
            self.request,
            "watch_form.html",
            status=status,
            form=form,
            present=self.present,
            names=await name_advertisers(self.session, ids=ids),
            outcome=outcome,
            estimate=estimate,
            cost=describe_cost(self.gallery, estimate) if estimate else "",
            seen=seen_mark(estimate) if estimate else "",
            warned=warned_mark(form, outcome) if outcome else "",
            conflicts=self.conflicts,
            numbers=NUMBERS,
            fields=(*TEXTS, *NUMBERS, "advertiser", "political_ads"),
            regions=list(REGIONS.values()),
            platforms=[one.value for one in Platform],
            formats=[one.value for one in CreativeFormat],
        )

    async def _show_conflict(self, form: Form, written: WatchForm, now: Watch) -> Response:
        """The form with what somebody else saved meanwhile, beside what was typed; where that is
        the same, as of one that is sent twice, it is saved."""
        present = definition_of(now)
        if "save" in form and form.not_sent is None and written.definition == present:
            return lead_to(f"/watches/{now.id}", "watch_changed")
        stored = form_of(present)
        self.conflicts = differences(stored, written)
        return await self.show(stored, status=409)


_NewDep = Annotated[_Editor, Depends()]


async def _editor_of(editor: _NewDep, watch_id: Number) -> _Editor:
    editor.present = await read_watch_row(editor.session, watch_id)
    return editor


_OfWatchDep = Annotated[_Editor, Depends(_editor_of)]


@router.get("/watches/new")
async def show_new(request: Request, editor: _NewDep) -> HTMLResponse:
    """The empty form; `advertiser` in the address fills its field."""
    form = empty_form()
    form.given["advertiser"] = request.query_params.get("advertiser", "")[:200]
    return await editor.show(form)


@router.post("/watches/new")
async def create(editor: _NewDep, visitor: ChangerDep, form: TypedFormDep) -> Response:
    """Create a watch, or show the form again with what is wrong, or with what it will cost."""
    return await editor.handle(form, visitor.user_id)


@router.get("/watches/{watch_id}/edit")
async def show_edit(editor: _NewDep, watch_id: Number) -> HTMLResponse:
    """The form with the watch as it is."""
    editor.present = await read_watch_row(editor.session, watch_id)
    return await editor.show(form_of(definition_of(editor.present)))


@router.post("/watches/{watch_id}/edit")
async def change(form: TypedFormDep, editor: _OfWatchDep, visitor: ChangerDep) -> Response:
    """Change a watch, or show the form again; also where somebody else has changed it.

    The form is read first, so that what was typed is shown of a watch that is gone.
    """
    return await editor.handle(form, visitor.user_id)


@router.get("/watches/estimate")
async def estimate(pages: PagesDep) -> JSONResponse:
    """The month's cost of what is typed so far, for the page's script; where a number would be
    refused there is none, but what is wrong, by the field's name."""
    typed, session = pages.request.query_params, pages.session
    present = await find_watch_row(session, typed.get("watch", ""))
    form = await read_watch_form(
        session,
        Form(group_by_name(typed.multi_items())),
        None if present is None else definition_of(present),
        pages.visitor.user_id,
        pages.texts,
    )
    found, problems = await _estimate_typed(session, form, present)
    if found is None:
        return JSONResponse({"text": "", "seen": "", "problems": problems}, 422)
    told = {"text": describe_cost(pages.gallery, found), "seen": seen_mark(found), "problems": {}}
    return JSONResponse(told)


async def _estimate_typed(
    session: AsyncSession, form: WatchForm, present: Watch | None
) -> tuple[MonthEstimate | None, Mapping[str, str]]:
    """The month's cost of what is in a form, or what is wrong with its numbers, by field.

    What the watch is to look for may be wrong yet; then it costs as any new search.
    """
    numbers = WatchForm(given={name: form.given.get(name, "") for name in NUMBERS})
    check_numbers(numbers)
    if numbers.problems:
        return None, numbers.problems
    read = {name: form.number(name) for name in _COSTLY}
    written: dict[str, object] = {name: one for name, one in read.items() if one is not None}
    before = None if present is None else definition_of(present)
    empty = ["monthly_budget"] if before and "monthly_budget" not in written else []
    try:
        changes = pick_fields(({} if before else _ANY) | written)
        definition, _ = change_definition(before, changes, empty)
    except InvalidQueryError as error:
        return None, {error.field: error.sentence}
    if (query := form.query) is None:
        return estimate_month(definition), {}
    return await estimate_cost(session, definition.looking_for(query), present), {}


def describe_cost(gallery: Gallery, estimate: MonthEstimate) -> str:
    """What a month costs, in a sentence or two."""
    texts = gallery.templates.texts
    numbers = {name: f"{value:,}" for name, value in estimate.model_dump().items()}
    if estimate.most == 0:
        return texts("watches.budget_none")
    said = texts("watch_form.cost", **numbers)
    return f"{said} {texts('watch_form.lacking', **numbers)}" if estimate.lacking else said


def warned_mark(form: WatchForm, outcome: SaveOutcome) -> str:
    """What a form carries of the warnings that it has shown; empty where there is none."""
    warnings = [*form.warnings, *map(str, outcome.duplicates)]
    if outcome.saved.begins_anew:
        warnings.append("begins anew")
    return sha256("\n".join(warnings).encode()).hexdigest()[:16] if warnings else ""


def seen_mark(estimate: MonthEstimate) -> str:
    """What a form carries of the cost that it has shown."""
    return f"{estimate.searches}-{estimate.most}"
