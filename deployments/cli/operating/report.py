"""`adspark report`: versions, settings, states, logs and checks in one file, without secrets."""

import asyncio
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from typer import Argument, Option

from adspark.home.new_file import check_new_file
from adspark.text.counts import counted
from deployments.cli.operating.documents import ReportDocument
from deployments.cli.options import EndsWithJsonOption
from deployments.diagnosis.archive import SUFFIXES
from deployments.environment.termination import exit_by_sigterm, raise_at_termination
from deployments.terminal.output import print_json, print_line, print_warning
from deployments.terminal.progress import progress


def report(
    file: Annotated[Path, Argument(help="Ends in .zip; its folder is there.")],
    force: Annotated[bool, Option("--force", help="Replace a file of this name.")] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Write a report of this installation into one file, to be passed on; no secret is in it.

    Versions, settings, what doctor finds, pools, the last runs, the ends of the logs. Keys and
    passwords are redacted; names of folders, hosts, watches and advertisers are not.
    """
    check_new_file(file, SUFFIXES, replaces=force)
    from deployments.diagnosis.report import write_report  # noqa: PLC0415  (slow)

    with raise_at_termination(exit_by_sigterm), progress("Checking, and collecting logs"):
        checks = asyncio.run(write_report(file, replaces=force, warn=print_warning))
    wrong = sum(one.state == "failed" for one in checks)
    if as_json:
        size = file.stat().st_size
        print_json(ReportDocument(file=str(file), bytes=size, problems=wrong))
        return
    found = f"doctor finds {counted(wrong, 'problem')}" if wrong else "doctor finds nothing wrong"
    size = max(1, round(file.stat().st_size / 1000))
    print_line(f"Wrote {escape(str(file))} ({size:,} kB; {found}).")
    print_line("Keys and passwords are redacted; look it over before you pass it on.")
