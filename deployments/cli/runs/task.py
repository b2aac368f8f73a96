"""`adspark task`: all about one run, and what can be done with it."""

from typing import Annotated

from typer import Argument, Option

from deployments.cli.options import JsonOption
from deployments.cli.server import call_server
from deployments.terminal.output import out, print_json
from deployments.terminal.run_report import print_report


def task(
    key: Annotated[
        str,
        Argument(
            help="The id of a flow run or task run, the first 6 characters or more of a recent "
            "one's id, or a run's name."
        ),
    ],
    logs: Annotated[int, Option(min=0, max=200, help="Lines of its log, the last ones.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show all about one run: state, parameters, result, traceback, log, and what to do."""
    from deployments.operations.runs.report import read_report  # noqa: PLC0415  (slow)

    report = call_server(lambda client: read_report(client, key, log_lines=logs))
    if as_json:
        from deployments.cli.runs.server_documents import TaskDocument  # noqa: PLC0415  (slow)

        print_json(TaskDocument.of(report))
    else:
        print_report(report, out)
