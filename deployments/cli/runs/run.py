"""`adspark fetch` runs the flow here and now; `adspark run` runs a deployment and follows it."""

import asyncio
import json
import logging
import os
import re
import signal
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, TypeVar

from pydantic import JsonValue, ValidationError
from rich.markup import escape
from typer import Argument, Option

from adspark.creatives.fetch import IN_SUMMARY, FetchSummary
from adspark.errors import AdSparkError, ConfigurationError, InvalidQueryError
from adspark.library.filters.parsing import parse_day
from adspark.serpapi.search_query import parse_query
from adspark.settings import get_settings
from adspark.text.storable import UNSTORABLE
from adspark.validation.bounds import MAX_PAGES, PAGE_SIZE
from adspark.waits import IS_WAIT
from deployments.cli.arguments import show
from deployments.cli.options import EndsWithJsonOption
from deployments.cli.ranges import ranged
from deployments.cli.runs.documents import FetchDocument, FinishedRunDocument
from deployments.cli.runs.summary import print_summary
from deployments.cli.search_options import (
    AdvertiserIds,
    FormatOption,
    PlatformOption,
    RegionOption,
    TextOption,
)
from deployments.cli.server import prefect_api_url
from deployments.environment.termination import end_at_ctrl_c, raise_at_termination
from deployments.terminal.output import print_json, print_line, print_note
from deployments.terminal.progress import progress

_Result = TypeVar("_Result")

_START_TIMEOUT = "120"  # seconds for Prefect's temporary server, which has 20 by default
_RETRY = "Task run failed with exception"  # Prefect's line, which quotes the error as code
_RESUMES = "what was stored stays, and the same command resumes from there."
_UNREACHABLE = re.compile("Failed to reach API|Timed out while attempting to connect to ephemeral")


def fetch(
    advertiser_ids: AdvertiserIds = None,
    text: TextOption = None,
    region: RegionOption = None,
    platform: PlatformOption = None,
    creative_format: FormatOption = None,
    start_date: Annotated[
        str | None, Option(metavar="DAY", help="Shown on or after this day, as 2026-08-31.")
    ] = None,
    end_date: Annotated[
        str | None, Option(metavar="DAY", help="Shown on or before this day.")
    ] = None,
    political_ads: Annotated[
        bool, Option("--political-ads", help="Only political ads; needs --region.")
    ] = False,
    page_size: Annotated[int, ranged(PAGE_SIZE, help="Ads a page.")] = 100,
    max_pages: Annotated[int, ranged(MAX_PAGES, help="Pages, so searches, at most.")] = 1,
    dry_run: Annotated[bool, Option("--dry-run", help="Search and count, store no ads.")] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Fetch ads here and now, without a worker."""
    parameters: dict[str, Any] = {
        "advertiser_ids": advertiser_ids,
        "text": text,
        "region": region,
        "platform": platform,
        "creative_format": creative_format,
        "start_date": parse_day("start_date", start_date),
        "end_date": parse_day("end_date", end_date),
        "political_ads": political_ads,
        "page_size": page_size,
    }
    summary = fetch_here(parameters, max_pages=max_pages, dry_run=dry_run)
    print_json(FetchDocument.of(summary)) if as_json else print_summary(summary)


def fetch_here(
    parameters: dict[str, Any], *, max_pages: int = 1, dry_run: bool = False
) -> FetchSummary:
    """Run the flow in this process, in the ledger and under the limits of all fetches.

    Args:
        parameters: of the query.
        max_pages: pages, so searches, at most.
        dry_run: search and count, store no ads.

    Raises:
        AdSparkError: the query cannot be used, or the fetch failed.
    """
    parse_query(**parameters)  # a mistake shows before Prefect starts
    MAX_PAGES.check("max_pages", max_pages)

    def start() -> Coroutine[Any, Any, FetchSummary]:
        from flows.fetch_creatives import fetch_creatives  # noqa: PLC0415  (slow)

        call: Coroutine[Any, Any, FetchSummary] = fetch_creatives(
            **parameters, max_pages=max_pages, dry_run=dry_run
        )
        return call

    return run_here(start)


def run(
    deployment: Annotated[str, Argument(help="fetch-creatives, or flow/deployment.")],
    parameters: Annotated[
        list[str] | None,
        Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; JSON or text."),
    ] = None,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Run a deployment on its worker, and follow it to its end.

    Where its runs follow one after the other, one that is under way ends first.
    """
    values = _parameters(parameters or [])
    from deployments.cli.runs.follow import Event, run_and_follow  # noqa: PLC0415  (slow)

    def print_event(event: Event) -> None:
        style = {"state": "bold cyan", "hint": "yellow"}.get(event.kind, "dim")
        print_note(event.text, style=style)

    finished = asyncio.run(run_and_follow(prefect_api_url(), deployment, values, print_event))
    if as_json:
        print_json(FinishedRunDocument(flow_run_id=finished.id, result=finished.result))
        return
    if deployment.partition("/")[0] == "fetch-creatives":
        with suppress(ValidationError):  # a worker of another version, or its result is not here
            print_summary(FetchSummary.model_validate(finished.result))
            return
    message = f": {finished.state.message}" if finished.state.message else ""
    print_line(escape(f"{finished.name}: {finished.state.name}{message}"))


def run_here(start: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run a flow in this process, and return what it returns; `start` imports and calls it.

    Raises:
        AdSparkError: the flow failed, was terminated, or has no server of Prefect's.
    """
    _prepare_prefect()
    _check_key()
    call = start()
    with progress("Fetching"), _translate_errors():
        return asyncio.run(call)


def _prepare_prefect() -> None:
    """Run on the stack that is up, where there is one, else on a temporary server of Prefect's;
    of its log only warnings reach the terminal, for the command itself says the rest."""
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", _START_TIMEOUT)
    from prefect.logging.configuration import setup_logging  # noqa: PLC0415  (slow)

    import flows  # noqa: PLC0415, F401  (slow; finds the stack)

    setup_logging()
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_shown)


def _check_key() -> None:
    """Raise ConfigurationError where Prefect has to start a server that knows no block, and the
    settings have no key of SerpApi, which every flow needs that a command runs itself."""
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415  (slow)

    from blocks.serpapi_credentials import SerpApiCredentials  # noqa: PLC0415  (slow)

    if PREFECT_API_URL.value() is None:
        SerpApiCredentials.from_settings(get_settings())


def _is_shown(record: logging.LogRecord) -> bool:
    """Warnings; failures, what is waited for, and what the summary repeats are told by the
    command, in a line each."""
    is_told = (
        hasattr(record, IS_WAIT)
        or hasattr(record, IN_SUMMARY)
        or record.getMessage().startswith(_RETRY)
    )
    return logging.WARNING <= record.levelno < logging.ERROR and not is_told


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Turn what Prefect raises at SIGTERM, or without a server, into one line and a remedy.

    Prefect's flow engine sends SIGTERM again, to the handler that was there before its own: the
    default one would end this process at once, and leave Prefect's temporary server behind.
    """
    from prefect.exceptions import TerminationSignal  # noqa: PLC0415  (slow)

    try:
        with (
            end_at_ctrl_c(lambda: print_note(f"Interrupted; {_RESUMES}")),
            raise_at_termination(lambda: TerminationSignal(signal=signal.SIGTERM)),
        ):
            yield
    except TerminationSignal as error:
        raise AdSparkError(f"Terminated (SIGTERM); {_RESUMES}") from error
    except RuntimeError as error:
        if not _UNREACHABLE.match(str(error)):
            raise
        if url := os.environ.get("PREFECT_API_URL"):
            message = f"PREFECT_API_URL: no Prefect server answers at {url}; start it, or unset it."
        else:
            message = (
                f"Prefect's temporary server was not ready after {_START_TIMEOUT} s; start the "
                f"local stack with adspark up, or set "
                f"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS to more."
            )
        raise ConfigurationError(message) from error


def _parameters(written: Iterable[str]) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {}
    for name, value in map(_parameter, written):
        if name in values:
            raise InvalidQueryError("--param", f"{show(name)} is given twice; leave one out.")
        values[name] = value
    return values


def _parameter(written: str) -> tuple[str, JsonValue]:
    name, found, value = written.partition("=")
    if not found or not name.strip():
        raise InvalidQueryError("--param", f"{show(written)} is not NAME=VALUE.")
    try:
        parsed: JsonValue = json.loads(value)
    except ValueError:
        parsed = value
    if UNSTORABLE.search(json.dumps(parsed, ensure_ascii=False)):
        raise InvalidQueryError("--param", f"{show(written)} holds half a character.")
    return name.strip(), parsed
