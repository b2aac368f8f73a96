"""The list of variants: filtered by its address, with figures, and how far the open ones are."""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.datastructures import QueryParams

from adspark.errors import InvalidQueryError
from adspark.library.filters.written import choose
from adspark.models import VariantStatus
from adspark.validation.bounds import ID
from adspark.validation.numbers import Whole, read_whole
from adspark.variants.lists import list_requesters, list_variants
from adspark.variants.progress import Step, count_open_steps
from adspark.variants.reviews.approvals import MOST, Group, read_outcomes
from adspark.variants.reviews.decisions import Decision, read_decisions
from adspark.variants.reviews.share import Share
from adspark.variants.reviews.store import read_statistics
from adspark.variants.reviews.waiting import count_waiting
from deployments.gallery.resources import PagesDep, SessionDep

router = APIRouter(include_in_schema=False)

_PAGE = 24  # variants


@dataclass(frozen=True)
class _Filters:
    """What the address asks for."""

    status: VariantStatus | None = None
    user: int | None = None
    decision: Decision | None = None
    after: int | None = None


@router.get("/variants")
async def show_variants(pages: PagesDep) -> HTMLResponse:
    """The page of the list."""
    given, session = pages.request.query_params, pages.session
    filters, problems = _Filters(), dict[str, str]()
    try:
        filters = _read_filters(given)
    except InvalidQueryError as error:
        problems = {error.field: error.sentence}
    found = []
    if not problems:
        found = await list_variants(
            session,
            status=filters.status,
            user_id=filters.user,
            decision=filters.decision,
            before=filters.after,
            limit=_PAGE + 1,
        )
    shown = found[:_PAGE]
    steps = await count_open_steps(session, user_id=filters.user)
    statistics = await read_statistics(session, user_id=filters.user)
    return pages.page(
        "variants.html",
        status=422 if problems else 200,
        variants=shown,
        next=shown[-1].id if len(found) > _PAGE else None,
        given=given,
        problems=problems,
        statuses=[*VariantStatus, *Decision],
        decisions=await read_decisions(session, ids=[one.id for one in shown]),
        users={one.user_id: one.name for one in await list_requesters(session)},
        statistics=statistics,
        approval=Share.of(statistics.approved, statistics.approved + statistics.rejected),
        waiting=await count_waiting(session, user_id=filters.user),
        steps=steps,
        progress=_progress_url(filters.user),
        state=_state(steps),
    )


@router.get("/variants/outcomes")
async def show_outcomes(pages: PagesDep) -> HTMLResponse:
    """What is approved, by prompt, advertiser and reviewer."""
    outcomes = await read_outcomes(pages.session)
    return pages.page("variant_outcomes.html", outcomes=outcomes, groups=list(Group), most=MOST)


@router.get("/variants/progress")
async def tell_progress(session: SessionDep, user: Whole | None = None) -> dict[str, object]:
    """How far the open variants of a user, or of all, are: changes with each step of one."""
    ID.check("user", user)
    steps = await count_open_steps(session, user_id=user)
    return {"state": _state(steps), "is_open": bool(steps)}


def _read_filters(given: QueryParams) -> _Filters:
    """Raises InvalidQueryError, which names the field."""
    status = given.get("status", "").strip()
    decision = Decision(status) if status in set(Decision) else None
    return _Filters(
        status=None if decision else choose("status", VariantStatus, status or None),
        user=_read_number("user", given),
        decision=decision,
        after=_read_number("after", given),
    )


def _read_number(field: str, given: QueryParams) -> int | None:
    written = given.get(field, "").strip()
    if not written:
        return None
    if (number := read_whole(written)) is None:
        raise InvalidQueryError(field, f"{written[:40]!r} is not a number.")
    ID.check(field, number)
    return number


def _progress_url(user: int | None) -> str:
    return "/variants/progress" + (f"?{urlencode({'user': user})}" if user else "")


def _state(steps: dict[Step, int]) -> str:
    return " ".join(f"{step}:{number}" for step, number in steps.items())
