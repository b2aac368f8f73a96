"""`adspark task`: all about one run, and what can be done with it.

Prefect is imported inside the command: it takes a second.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from deployments.asking import ask_server
from deployments.output import out, plain, print_json, table

if TYPE_CHECKING:
    from deployments.run_reports import RunReport

_STYLES = {"COMPLETED": "green", "FAILED": "bold red", "CRASHED": "bold red", "RUNNING": "cyan"}
_LONGEST_LINE = 160  # characters of a parameter or a part of the result
_SHOWN_LINES = 12  # of a traceback on the terminal: its end, which tells most


def task(
    key: Annotated[
        str,
        typer.Argument(
            help="The id of a flow run or task run, the first 6 characters or more of a recent "
            "one's id, or a run's name."
        ),
    ],
    logs: Annotated[
        int, typer.Option(min=0, max=200, help="Lines of its log, the last ones.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show all about one run: state, parameters, result, traceback, log, and what to do."""
    from deployments.run_reports import read_report  # noqa: PLC0415  (slow)

    report = ask_server(lambda client: read_report(client, key, log_lines=logs))
    print_json(report) if as_json else _print(report)


def _print(report: "RunReport") -> None:
    style = _STYLES.get(report.state_type, "yellow")
    kind = report.kind.capitalize()
    out.print(f"[bold]{kind} {escape(report.name)}[/]: [{style}]{escape(report.state)}[/]")
    for what, value in _facts(report).items():
        if value not in (None, "", {}):
            first, *more = plain(str(value)).split("\n")
            out.print(f"  {what:<11}{escape(first)}", soft_wrap=True)
            for one in more:
                out.print(f"  {'':<11}{escape(one)}".rstrip(), soft_wrap=True)
    if report.task_runs:
        rows: list[dict[str, object]] = [
            {"task": plain(one.name), "state": one.state, "seconds": round(one.seconds, 1)}
            for one in report.task_runs
        ]
        out.print(table("Task runs", rows))
    if report.traceback:
        _print_traceback(report.traceback)
    if report.log:
        out.print("[bold]Log[/]")
    for line in report.log:
        told = f"  {line.at:%H:%M:%S} {line.level:<8}{plain(line.text)}"
        out.print(escape(told), style=None if line.level == "INFO" else "yellow", soft_wrap=True)
    out.print("[bold]Next[/]")
    for command in report.remedy:
        out.print(f"  {escape(plain(command))}", soft_wrap=True)


def _print_traceback(written: str) -> None:
    lines = plain(written).split("\n")
    left = max(0, len(lines) - _SHOWN_LINES)
    out.print(
        "[bold]Traceback[/]" + (f" (its end; all {len(lines)} lines: --json)" if left else "")
    )
    for line in lines[left:]:
        out.print(f"  {escape(line)}", soft_wrap=True)


def _facts(report: "RunReport") -> dict[str, object]:
    parameters = report.parameters
    return {
        "message": report.message,
        "id": report.id,
        "flow": report.deployment or report.flow,
        "pool": report.pool,
        "worker": " · ".join(filter(None, (report.worker, report.infrastructure))),
        "parameters": _listed(parameters) if isinstance(parameters, dict) else parameters,
        "expected": _clock(report.expected),
        "started": _clock(report.started),
        "ended": _clock(report.ended),
        "ran": f"{report.seconds:.1f} s, {_tries(report.run_count)}" if report.run_count else None,
        "result": _listed(report.result) if isinstance(report.result, dict) else report.result,
    }


def _listed(document: Mapping[str, object]) -> str:
    """A line each; what is long in full is in the JSON."""
    lines = [" ".join(f"{name}: {value}".split()) for name, value in document.items()]
    return "\n".join(
        line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}… (--json)"
        for line in lines
    )


def _tries(number: int) -> str:
    return "1 start" if number == 1 else f"{number} starts"


def _clock(then: datetime | None) -> str | None:
    return None if then is None else f"{then:%Y-%m-%d %H:%M:%S} UTC"
