"""The command `adspark`: its groups, and how errors end it.

Exit codes: 0 done; 1 it failed, or was not confirmed, and the same call may do later; 2 the call
or the configuration has to change first, as where it names something that there is not.
"""

import errno
import os
import sys

import typer

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    UnknownVariantError,
    UnknownWatchError,
)
from adspark.redaction import remember_environment
from adspark.settings import get_settings
from deployments.arguments import check_arguments
from deployments.board_commands import app as board_app
from deployments.budget_commands import budget
from deployments.database_commands import app as database_app
from deployments.failure_commands import failures, retry
from deployments.fetch_commands import fetch, run
from deployments.metrics_commands import metrics
from deployments.monitor_commands import monitor
from deployments.output import print_error, print_warning
from deployments.pool_commands import drain, pause, resume, scale
from deployments.provision_commands import provision
from deployments.purge_commands import purge
from deployments.quiet import drop_countdowns
from deployments.stack.shell import prepare_process
from deployments.stack_commands import demo, down, sandbox, up
from deployments.stack_settings import use_server_password
from deployments.status_commands import status
from deployments.task_commands import task
from deployments.top_commands import top
from deployments.variant_commands import app as variant_app
from deployments.watch_commands import app as watch_app
from deployments.worker_commands import worker

app = typer.Typer(
    name="adspark",
    help="Watch competitors' Google ads and turn them into reviewed variants.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in {
    "Ads": (fetch, run, budget),
    "The local stack": (up, down, demo, sandbox),
    "Operating": (status, top, monitor, task, failures, retry, purge, metrics),
    "Pools": (pause, resume, drain, scale, worker, provision),
}.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for name, group in {"watch": watch_app, "board": board_app, "variant": variant_app}.items():
    app.add_typer(group, name=name, rich_help_panel="Ads")
app.add_typer(database_app, name="db", rich_help_panel="The local stack")


def main() -> None:
    """Run the command; every expected error is one line, never a traceback."""
    if sys.platform == "win32":
        print_error("AdSpark runs on Linux and macOS; on Windows, run it in WSL 2 (wsl --install).")
        sys.exit(2)
    os.environ.setdefault("DO_NOT_TRACK", "1")  # Prefect's client and server tell home otherwise
    drop_countdowns()
    try:
        check_arguments(sys.argv[1:])
        use_server_password()
        remember_environment()
        for warning in prepare_process():
            print_warning(warning)
        app()
    except (ConfigurationError, UnknownWatchError, UnknownVariantError) as error:
        print_error(str(error))
        sys.exit(2)
    except AdSparkError as error:
        print_error(str(error))
        sys.exit(1)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print_error(f"{error.filename or 'The disk'}: {error.strerror}; make some room.")
            sys.exit(1)
        if not str(error.filename or "").startswith(str(get_settings().home)):
            raise
        print_error(f"ADSPARK_HOME: {error.filename}: {error.strerror}; name another folder.")
        sys.exit(2)


if __name__ == "__main__":
    main()
