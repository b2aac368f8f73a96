"""The command `adspark`: its groups, and how errors end it.

Exit codes: 0 done; 1 it failed, or was not confirmed, and the same call may do later; 2 the call
or the configuration has to change first, as where it names something that there is not.
"""

import errno
import sys
from collections.abc import Callable

import typer

from adspark.errors import AdSparkError, ConfigurationError, UnknownVariantError, UnknownWatchError
from adspark.settings import get_settings
from adspark.text.redaction import remember_environment
from deployments.cli.ads.advertisers import app as advertiser_app
from deployments.cli.ads.commands import app as ads_app
from deployments.cli.arguments import check_arguments
from deployments.cli.boards.commands import app as board_app
from deployments.cli.insight.commands import app as insight_app
from deployments.cli.operating.budget import budget
from deployments.cli.operating.db import app as database_app
from deployments.cli.operating.metrics import metrics
from deployments.cli.operating.monitor import monitor
from deployments.cli.operating.pools import drain, pause, resume, scale
from deployments.cli.operating.provision import provision
from deployments.cli.operating.stack import demo, down, sandbox, up
from deployments.cli.operating.status import status
from deployments.cli.operating.top import top
from deployments.cli.operating.worker import worker
from deployments.cli.runs.failures import failures, retry
from deployments.cli.runs.purge import purge
from deployments.cli.runs.run import fetch, run
from deployments.cli.runs.task import task
from deployments.cli.users.commands import app as user_app
from deployments.cli.variants.commands import app as variant_app
from deployments.cli.watches.commands import app as watch_app
from deployments.environment.shell import prepare_process
from deployments.environment.stack_settings import use_server_password
from deployments.terminal.output import print_error, print_warning
from deployments.terminal.quiet import drop_countdowns
from deployments.terminal.waits import show_waits

app = typer.Typer(
    name="adspark",
    help="Watch competitors' Google ads and turn them into reviewed variants.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Ads": (fetch, run, budget),
    "The local stack": (up, down, demo, sandbox),
    "Operating": (status, top, monitor, task, failures, retry, purge, metrics),
    "Pools": (pause, resume, drain, scale, worker, provision),
}
for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for name, group in {
    "ads": ads_app,
    "advertisers": advertiser_app,
    "insight": insight_app,
    "watch": watch_app,
    "board": board_app,
    "variant": variant_app,
    "users": user_app,
}.items():
    app.add_typer(group, name=name, rich_help_panel="Ads")
app.add_typer(database_app, name="db", rich_help_panel="The local stack")


def main() -> None:
    """Run the command; every expected error is one line, never a traceback."""
    if sys.platform == "win32":
        print_error("AdSpark runs on Linux and macOS; on Windows, run it in WSL 2 (wsl --install).")
        sys.exit(2)
    drop_countdowns()
    show_waits()
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
