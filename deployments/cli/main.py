"""The command `adspark`: its groups, and how errors end it.

Exit codes: 0 done; 1 it failed, or was not confirmed, and the same call may do later; 2 the call
or the configuration has to change first, as where it names something that there is not.
"""

import errno
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from adspark.errors import AdSparkError, ConfigurationError, UnknownVariantError, UnknownWatchError
from adspark.settings import get_settings
from adspark.text.redaction import remember_environment
from deployments.cli.arguments import check_arguments
from deployments.cli.command_group import make_group
from deployments.cli.commands import COMMANDS
from deployments.environment.shell import prepare_process
from deployments.environment.stack_settings import use_server_password
from deployments.terminal.output import print_error, print_line, print_warning
from deployments.terminal.quiet import drop_countdowns
from deployments.terminal.waits import show_waits

app = typer.Typer(
    name="adspark",
    cls=make_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print_line(f"adspark {version('adspark')}")
        raise typer.Exit


@app.callback()
def adspark(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Watch competitors' Google ads and turn them into reviewed variants."""


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
