"""`adspark doctor`: what is wrong on this machine, and what mends it; exit code 1 where it is."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from adspark.text.counts import counted
from adspark.text.terminal import plain
from deployments.cli.operating.documents import CheckDocument, DoctorDocument
from deployments.cli.options import JsonOption
from deployments.terminal.output import out, print_json, print_warning, print_wrapped
from deployments.terminal.progress import progress

if TYPE_CHECKING:
    from adspark.maintenance.check import Check

_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not set up": "dim"}
_WORDS = {"ok": "ok", "warning": "warning", "failed": "PROBLEM", "not set up": "not set up"}
_STATE, _NAME = 12, 20  # characters of the first two columns


def doctor(as_json: JsonOption = False) -> None:
    """Check all that AdSpark needs on this machine; exit code 1 says that something is wrong.

    Python, packages, settings, disk, ports, database, media folder, browser, keys, Prefect's
    server, pools and workers; with or without a stack. Nothing is paid, and no key is shown.
    """
    from deployments.diagnosis.doctor import examine  # noqa: PLC0415  (slow)

    with progress("Checking"):
        checks = asyncio.run(examine(print_warning))
    wrong = [one for one in checks if one.state == "failed"]
    if as_json:
        found = [CheckDocument(**one.model_dump(mode="json")) for one in checks]
        print_json(DoctorDocument(ok=not wrong, checks=found))
    else:
        print_checks(checks)
        print_end(checks)
    if wrong:
        raise typer.Exit(1)


def print_checks(checks: "Sequence[Check]") -> None:
    """A line for each check, and below it what mends it."""
    for one in checks:
        style = _STYLES[one.state]
        head = f"[{style}]{_WORDS[one.state]:<{_STATE}}[/]{escape(f'{one.name:<{_NAME}}')}"
        print_wrapped(out, f"{head}{escape(plain(one.what))}", indent=_STATE + _NAME)
        if one.remedy:
            blanks = " " * (_STATE + _NAME)
            print_wrapped(out, f"{blanks}→ {escape(one.remedy)}", indent=_STATE + _NAME)


def print_end(checks: "Sequence[Check]") -> None:
    """What it all comes to."""
    wrong = sum(one.state == "failed" for one in checks)
    warnings = sum(one.state == "warning" for one in checks)
    if wrong:
        out.print(f"[bold red]{counted(wrong, 'problem')}[/] in {counted(len(checks), 'check')}.")
    elif warnings:
        said = counted(warnings, "warning")
        out.print(f"[yellow]Nothing is wrong, with {said}[/] in {counted(len(checks), 'check')}.")
    else:
        out.print(f"[green]Nothing is wrong[/] in {counted(len(checks), 'check')}.")
