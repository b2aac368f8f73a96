"""All about one run as a person reads it: on the terminal, and in `adspark top`."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from adspark.text.counts import counted
from adspark.text.terminal import plain
from deployments.terminal.output import print_facts, print_wrapped
from deployments.terminal.tables import table

if TYPE_CHECKING:
    from deployments.operations.runs.report import RunReport

_STYLES = {"COMPLETED": "green", "FAILED": "bold red", "CRASHED": "bold red", "RUNNING": "cyan"}
_LONGEST_LINE = 160  # characters of a parameter or a part of the result
_INDENT = 4  # characters before a line of a traceback that goes on
_SHOWN_LINES = 12  # of a traceback on the terminal: its end, which says most


def print_report(report: "RunReport", console: Console) -> None:
    """Print it: what it is, what it came to, what it did, and what can be done."""
    style = _STYLES.get(report.state_type, "yellow")
    kind = report.kind.capitalize()
    console.print(f"[bold]{kind} {escape(report.name)}[/]: [{style}]{escape(report.state)}[/]")
    print_facts(_facts(report), width=12, console=console)
    if report.task_runs:
        rows: list[dict[str, object]] = [
            {"task": plain(one.name), "state": one.state, "seconds": round(one.seconds, 1)}
            for one in report.task_runs
        ]
        console.print(table("Task runs", rows, wraps="task"))
    if report.traceback:
        _print_traceback(report.traceback, console)
    if report.log:
        console.print("[bold]Log[/]")
    for line in report.log:
        text = f"  {line.at:%H:%M:%S} {line.level:<8}"
        said = escape(text + " ".join(plain(line.text).split()))
        is_plain = line.level == "INFO"
        print_wrapped(console, said if is_plain else f"[yellow]{said}[/]", indent=len(text))
    console.print("[bold]Next[/]")
    for command in report.remedy:
        console.print(f"  {escape(plain(command))}", soft_wrap=True)


def _print_traceback(written: str, console: Console) -> None:
    lines = plain(written).split("\n")
    left = max(0, len(lines) - _SHOWN_LINES)
    console.print(
        "[bold]Traceback[/]" + (f" (its end; all {len(lines)} lines: --json)" if left else "")
    )
    for line in lines[left:]:
        print_wrapped(console, f"  {escape(line)}", indent=_INDENT)


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
        "ran": f"{report.seconds:.1f} s, {counted(report.run_count, 'start')}"
        if report.run_count
        else None,
        "result": _listed(report.result) if isinstance(report.result, dict) else report.result,
    }


def _listed(document: Mapping[str, object]) -> str:
    """A line each; what is long in full is in the JSON."""
    lines = [" ".join(f"{name}: {value}".split()) for name, value in document.items()]
    return "\n".join(
        line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}… (--json)"
        for line in lines
    )


def _clock(then: datetime | None) -> str | None:
    return None if then is None else f"{then:%Y-%m-%d %H:%M:%S} UTC"
