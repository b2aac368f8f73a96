"""`adspark pause`, `resume`, `drain` and `scale`: a work pool in an operator's hands."""

from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from adspark.errors import AdSparkError, InvalidQueryError
from adspark.text.counts import counted, it_or_them
from adspark.text.paused_pool import describe_paused
from adspark.validation.bounds import SECONDS
from adspark.validation.numbers import read_whole
from deployments.cli.operating.documents import PoolDocument
from deployments.cli.options import EndsWithJsonOption, JsonOption, PoolArgument
from deployments.cli.ranges import ranged
from deployments.cli.server import call_server
from deployments.terminal.choices import one_of
from deployments.terminal.output import print_json, print_line, print_note
from deployments.terminal.questions import is_interactive, wrap_question

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun


def pause(pool: PoolArgument, as_json: JsonOption = False) -> None:
    """Let nothing more begin in a pool; active runs continue, and schedules keep planning."""
    from deployments.operations import pools  # noqa: PLC0415  (slow)

    call_server(lambda client: pools.pause(client, pool))
    if as_json:
        print_json(PoolDocument(pool=pool, is_paused=True))
    else:
        print_line(describe_paused(pool))


def resume(
    pool: PoolArgument,
    skip: Annotated[
        bool, Option("--skip-late", help="Drop what schedules had planned for the pause.")
    ] = False,
    catch_up: Annotated[
        bool,
        Option(
            "--catch-up",
            help="Run it too. Neither: it asks on a terminal, and catches up in a script. What "
            "people requested always runs.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a paused pool's runs begin again."""
    skip_late = one_of("--skip-late", skip, "--catch-up", catch_up)
    from deployments.operations import pools  # noqa: PLC0415  (slow)

    if skip_late is None and is_interactive() and not as_json:
        late = len(call_server(lambda client: pools.find_overdue(client, pool)))
        question = (
            f"{counted(late, 'run')} of schedules should have begun meanwhile. "
            f"Skip {it_or_them(late)}?"
        )
        skip_late = late > 0 and typer.confirm(wrap_question(question), default=True, err=True)
    skipped = call_server(lambda client: pools.resume(client, pool, skip_late=bool(skip_late)))
    if as_json:
        print_json(PoolDocument(pool=pool, is_paused=False, skipped=skipped))
        return
    addition = (
        f"; {counted(skipped, 'run')} of schedules {'was' if skipped == 1 else 'were'} skipped"
    )
    print_line(f"Pool {pool} is resumed{addition if skipped else ''}.")


def drain(
    pool: PoolArgument,
    timeout: Annotated[
        float | None, ranged(SECONDS, metavar="SECONDS", help="Wait so long at most.")
    ] = None,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Pause a pool and wait until nothing of it runs; exit code 1 if that takes too long."""
    from deployments.operations import pools  # noqa: PLC0415  (slow)
    from orchestration.runs.naming import CANCEL, name_runs  # noqa: PLC0415  (slow)

    def print_left(left: int) -> None:
        print_note(f"{counted(left, 'run')} left")

    def print_runs(left: "list[FlowRun]") -> None:
        print_note(
            f"No worker of {pool} is online: start one, or cancel what does not end by itself "
            f"({CANCEL}): {name_runs(left)}"
        )

    try:
        is_empty = call_server(
            lambda client: pools.drain(
                client, pool, on_wait=print_left, on_no_worker=print_runs, patience=timeout
            )
        )
    except KeyboardInterrupt:
        print_note(f"Pool {pool} stays paused; resume it with: adspark resume {pool}", style="none")
        raise
    if not is_empty:
        raise AdSparkError(
            f"Pool {pool} is paused, but not empty after {timeout:g} s; wait on with: "
            f"adspark drain {pool}, or resume it: adspark resume {pool}"
        )
    if as_json:
        print_json(PoolDocument(pool=pool, is_paused=True))
    else:
        print_line(f"Pool {pool} is paused and empty; resume it with: adspark resume {pool}")


def scale(
    pool: PoolArgument,
    slots: Annotated[
        str, Argument(metavar="N", help="Runs at once, at least 1; none is no bound.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Set how many runs a pool has at once; active runs continue."""
    wanted = _slots(slots)
    from deployments.operations import pools  # noqa: PLC0415  (slow)

    before = call_server(lambda client: pools.scale(client, pool, wanted))
    if as_json:
        print_json(PoolDocument(pool=pool, slots=wanted, slots_before=before))
        return
    print_line(f"Pool {pool} is scaled to {_bound(wanted)} at once; before: {_bound(before)}.")


def _slots(written: str) -> int | None:
    if written.strip().lower() == "none":
        return None
    if (slots := read_whole(written.strip())) is None:
        raise InvalidQueryError("N", f"{written!r} is neither a number nor none.")
    return slots


def _bound(slots: int | None) -> str:
    return "any number of runs" if slots is None else counted(slots, "run")
