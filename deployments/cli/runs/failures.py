"""`adspark failures` and `adspark retry`: what failed, by cause, and another try."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from rich.markup import escape
from typer import Argument, Option

from adspark.errors import InvalidQueryError
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.bounds import Range
from deployments.cli.empty_lists import describe_asked
from deployments.cli.options import EndsWithJsonOption, JsonOption, YesOption
from deployments.cli.ranges import ranged
from deployments.cli.runs.queue_documents import RunsRetried
from deployments.cli.server import call_server
from deployments.terminal.output import out, print_json, print_line
from deployments.terminal.questions import confirm
from deployments.terminal.tables import age, table

if TYPE_CHECKING:
    from deployments.operations.runs.failures import FailureGroup

HOURS = Range(0.01, 24 * 366)
_WEEK = 24 * 7.0
_GENERATION = "generate-ad-variant"

HoursOption = Annotated[float, ranged(HOURS, help="How far back to look; a week, if not said.")]
PoolOption = Annotated[list[str] | None, Option("--pool", help="Only of this pool; several times.")]
FlowOption = Annotated[str | None, Option(help="Only of this flow.")]


def failures(
    hours: HoursOption = _WEEK,
    pool: PoolOption = None,
    flow: FlowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what failed and was not mended since, by cause, newest first."""
    from deployments.operations.runs.failures import read_failures  # noqa: PLC0415  (slow)

    found = call_server(
        lambda client: read_failures(client, hours=hours, pools=pool or [], flow=flow)
    )
    if as_json:
        from deployments.cli.runs.server_documents import FailureList  # noqa: PLC0415  (slow)

        print_json(FailureList(failures=found))
    elif not found:
        given = describe_asked({"pool": pool, "flow": flow})
        print_line(
            f"Nothing that failed matches {escape(given)}; all of it: adspark failures"
            if given
            else "Nothing has failed."
        )
    else:
        out.print(table("Failures", [_cells(one) for one in found], wraps="cause"))
        _print_hints(found)


def retry(
    keys: Annotated[
        list[str] | None,
        Argument(metavar="[KEY]...", help="Of adspark failures; or ids or names of runs."),
    ] = None,
    everything: Annotated[bool, Option("--all", help="All failures.")] = False,
    pool: PoolOption = None,
    flow: FlowOption = None,
    hours: HoursOption = _WEEK,
    yes: YesOption = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Retry failed runs, each under its own id and with its parameters."""
    if bool(keys) == bool(everything or pool or flow):
        raise InvalidQueryError("KEY", "name failures or runs, or give --all, --pool or --flow.")
    from deployments.cli.runs.failure_selection import choose_failures  # noqa: PLC0415  (slow)
    from deployments.operations.runs.failures import retry_runs  # noqa: PLC0415  (slow)

    chosen = call_server(
        lambda client: choose_failures(client, keys or [], hours=hours, pools=pool or [], flow=flow)
    )
    runs = [run for group in chosen for run in group.runs]
    if not as_json:
        _print_chosen(chosen)
    if runs and not yes:
        confirm(f"Retry {counted(len(runs), 'run')}?")
    queued = call_server(lambda client: retry_runs(client, runs)) if runs else []
    if as_json:
        left = [run for run in runs if run not in queued]
        print_json(RunsRetried(retried=queued, not_retried=left))
    else:
        _print_retried(runs, queued)


def _print_retried(runs: "Sequence[UUID]", queued: "Sequence[UUID]") -> None:
    if queued:
        out.print(f"Retrying {counted(len(queued), 'run')}; watch with: adspark monitor")
    else:
        out.print("Nothing was retried.")
    if left := [run for run in runs if run not in queued]:
        print_line(
            f"Not retried: {counted(len(left), 'run')}, changed since or of a deployment that is "
            f"gone; what to do instead: adspark task {left[0]}"
        )


def _print_hints(found: "list[FailureGroup]") -> None:
    if any(len(group.runs) > 1 for group in found):
        print_line(
            "Of several runs the newest one's message is shown; in the others', numbers, ids and "
            "addresses may differ."
        )
    print_line(f"All about one run: adspark task {found[0].runs[0]}")
    if again := [group for group in found if not group.fails_again]:
        out.print(f"Retry: adspark retry {again[0].key}")
    if wrong := [group for group in found if group.fails_again]:
        from deployments.operations.runs.failures import (  # noqa: PLC0415  (slow)
            command_with_others,
        )

        keys = ", ".join(group.key for group in wrong)
        print_line(
            f"Not to be retried, for their parameters or job variables are wrong: {keys}. Start "
            f"them anew with right ones, such as: {command_with_others(wrong[0].flow)}"
        )


def _print_chosen(chosen: "list[FailureGroup]") -> None:
    for group in chosen:
        line = f"{group.flow}: {counted(len(group.runs), 'run')}, {group.kind}: {group.cause}"
        print_line(escape(plain(line)))
    if any(group.fails_again for group in chosen):
        print_line(
            "[yellow]Their parameters or job variables are wrong, and a retry keeps them, so that "
            "they fail again:[/] start them anew with right ones: adspark run FLOW -p NAME=VALUE"
        )
    if any(group.flow == _GENERATION and group.kind == "Failed" for group in chosen):
        print_line(
            "[yellow]A variant that has failed is not generated, nor paid, again by this:[/] "
            "for that, adspark variant retry ID (adspark variant list --status failed)."
        )


def _cells(group: "FailureGroup") -> dict[str, object]:
    return {
        "key": group.key,
        "flow": group.flow,
        "kind": group.kind,
        "runs": len(group.runs),
        "last": age(group.last),
        "cause": plain(group.cause),
    }
