"""The log of runs: which of them a request asks for, and how they are listed."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice

from adspark.sandbox.dify.errors import invalid_param
from adspark.sandbox.dify.runs.run import Json, Run, RunBox, Status, make_user_id

_STATUSES = (Status.SUCCEEDED, Status.FAILED, Status.STOPPED)
_USUAL_LIMIT = 20
_LARGEST_LIMIT = 100
_LARGEST_PAGE = 99_999


def list_runs(runs: RunBox, query: Mapping[str, str], *, only_ended: bool) -> Json:
    """The answer of `GET /workflows/logs`, newest first.

    Args:
        only_ended: a run is listed when it ends, not when it begins.

    Raises:
        DifyError: a parameter will not do.
    """
    page = _read_number(query, "page", 1, _LARGEST_PAGE)
    limit = _read_number(query, "limit", _USUAL_LIMIT, _LARGEST_LIMIT)
    found = [run for run in _select(runs, query) if run.is_over or not only_ended]
    shown = islice(found, (page - 1) * limit, page * limit)
    return {
        "page": page,
        "limit": limit,
        "total": len(found),
        "has_more": len(found) > page * limit,
        "data": [_describe(run, only_ended) for run in shown],
    }


def _select(runs: RunBox, query: Mapping[str, str]) -> Iterator[Run]:
    status = query.get("status") or None
    if status is not None and status not in _STATUSES:
        raise invalid_param(f"status must be one of {', '.join(_STATUSES)}")
    before = _read_time(query, "created_at__before")
    after = _read_time(query, "created_at__after")
    keyword = query.get("keyword", "")
    for run in runs.newest_first(query.get("created_by_end_user_session_id") or None):
        if (
            (status is None or run.status == status)
            and (before is None or run.created_at <= before)
            and (after is None or run.created_at >= after)
            and (not keyword or _mentions(run, keyword))
        ):
            yield run


def _mentions(run: Run, keyword: str) -> bool:
    places = (run.id, run.user, json.dumps([run.inputs, run.outputs], ensure_ascii=False))
    return any(keyword in place for place in places)


def _read_number(query: Mapping[str, str], name: str, usual: int, largest: int) -> int:
    given = query.get(name) or str(usual)
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    if not 1 <= number <= largest:
        raise invalid_param(f"{name} must be between 1 and {largest}")
    return number


def _read_time(query: Mapping[str, str], name: str) -> float | None:
    given = query.get(name)
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise invalid_param(f"{name} is not a time in ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _describe(run: Run, only_ended: bool) -> Json:
    return {
        "id": run.log_id,
        "workflow_run": {
            "id": run.id,
            "version": "2026-08-12 00:00:00.000000",
            "status": run.shown_status,
            "error": run.error,
            "elapsed_time": run.elapsed_time,
            "total_tokens": run.total_tokens,
            "total_steps": run.total_steps,
            "created_at": run.created_at,
            "finished_at": run.finished_at,
            "exceptions_count": 0,
            "triggered_from": "app-run",
        },
        "created_from": "service-api",
        "created_by_role": "end_user",
        "created_by_account": None,
        "created_by_end_user": {
            "id": make_user_id(run.user),
            "type": "service_api",
            "is_anonymous": False,
            "session_id": run.user,
        },
        "created_at": run.finished_at if only_ended else run.created_at,
    }
