"""`adspark purge`: drop runs that wait, after saying which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from typer import Argument, Option

from adspark.errors import AdSparkError, ConfigurationError
from adspark.text.counts import counted
from adspark.validation.bounds import SECONDS
from deployments.cli.options import EndsWithJsonOption, YesOption
from deployments.cli.ranges import ranged
from deployments.cli.runs.queue_documents import RunsPurged
from deployments.cli.server import call_server
from deployments.queue_classes import POOL_NAMES, validate_pools
from deployments.terminal.output import err, out, print_json, print_note
from deployments.terminal.questions import confirm

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


def purge(
    pools: Annotated[
        list[str] | None, Argument(help=f"Of these pools; else all: {', '.join(POOL_NAMES)}.")
    ] = None,
    state: Annotated[
        list[str] | None,
        Option(help="late (due), scheduled or pending; several times; else late and pending."),
    ] = None,
    deployment: Annotated[str | None, Option(help="Only this flow's runs.")] = None,
    older_than: Annotated[
        float, ranged(SECONDS, metavar="SECONDS", help="Only those that were to begin so long ago.")
    ] = 0.0,
    yes: YesOption = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go.")] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Cancel runs that wait in the queues; active runs continue, and schedules stay."""
    from deployments.operations.runs.purge import (  # noqa: PLC0415  (slow)
        Waiting,
        count_by_pool,
        find_waiting,
    )

    validate_pools(pools or [])
    known = [one.value for one in Waiting]
    for one in state or []:
        if one not in known:
            raise ConfigurationError(f"--state: {one!r} is none of {', '.join(known)}.")
    states = [Waiting(one) for one in state or ("late", "pending")]

    found = call_server(
        lambda client: find_waiting(
            client, pools=pools or [], states=states, deployment=deployment, older_than=older_than
        )
    )
    if not as_json:
        for pool, counts in count_by_pool(found).items():
            listed = ", ".join(f"{number} {name}" for name, number in counts.items())
            out.print(f"{pool}: {listed}")
    if found and not dry_run and not yes:
        confirm(f"Cancel {counted(len(found), 'run')}?")
    purged = 0 if dry_run or not found else _purge(found, shows=not as_json)
    if as_json:
        print_json(RunsPurged(purged=purged, found=len(found)))
    else:
        done = f"Cancelled {counted(purged, 'run')}." if purged else "Nothing was cancelled."
        would = f"{counted(len(found), 'run')} would be cancelled."
        out.print(would if dry_run and found else done)


def _purge(found: "Sequence[FlowRun]", *, shows: bool) -> int:
    """Cancel the runs, with a bar on a terminal; returns how many were cancelled."""
    from deployments.operations.runs.purge import purge  # noqa: PLC0415  (slow)

    done = 0
    bar = Progress(
        TextColumn("Cancelling"), BarColumn(), MofNCompleteColumn(), console=err, transient=True,
        disable=not (shows and err.is_terminal),
    )  # fmt: skip
    task = bar.add_task("Cancelling", total=len(found))

    def count(number: int) -> None:
        nonlocal done
        done += number
        bar.update(task, completed=done)

    try:
        with bar:
            return call_server(
                lambda client: purge(client, found, on_purged=count), shows_progress=False
            )
    except (KeyboardInterrupt, AdSparkError):
        print_note(
            f"Cancelled {done:,} of {counted(len(found), 'run')}; repeat the command for the rest.",
            style="none",
        )
        raise
