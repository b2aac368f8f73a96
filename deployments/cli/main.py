"""The command `adspark`: its groups, and how errors end it.

Exit codes: 0 done; 1 it failed, or was not confirmed, and the same call may do later; 2 the call
or the configuration has to change first, as where it names something that there is not; 130 it was
interrupted by Ctrl-C, 143 by SIGTERM.
"""

import errno
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
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
from deployments.terminal.log_lines import drop_countdowns, drop_driver_lines, show_waits
from deployments.terminal.output import print_error, print_line, print_warning
from deployments.terminal.speech import choose_speech, speaks_json
from deployments.terminal.streams import drop_output, prepare_streams

# What has to change is the call, a name in it, or the configuration.
_CHANGE_FIRST = (ConfigurationError, UnknownWatchError, UnknownVariantError)

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
    drop_driver_lines()
    show_waits()
    try:
        sys.exit(run(sys.argv[1:], prepare=_prepare))
    finally:
        gc.freeze()  # so that Python, as it ends, does not look through all that was imported


def run(arguments: Sequence[str], prepare: Callable[[], None] = lambda: None) -> int:
    """Run the command with these arguments, after `prepare`, which may raise as it may; returns its
    exit code."""
    choose_speech(arguments)
    prepare_streams(as_json=speaks_json())
    try:
        check_arguments(arguments)
        prepare()
        code = _call_for_a_program(arguments) if speaks_json() else _call(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _leave_pipe()
    except AdSparkError as error:
        code = 2 if isinstance(error, _CHANGE_FIRST) else 1
        print_error(str(error), field=getattr(error, "field", None), exit_code=code)
    except OSError as error:
        code, message = _describe(error)
        print_error(message, exit_code=code)
        if error.filename is None:  # what could not be written was the output
            drop_output()
    return code


def _prepare() -> None:
    use_server_password()
    remember_environment()
    for warning in prepare_process():
        print_warning(warning)


def _describe(error: OSError) -> tuple[int, str]:
    """The exit code, and what to do; raises the error where it is none of those that one meets."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return 1, f"{error.filename or 'The disk'}: {error.strerror}; make some room."
    if error.filename is None:
        raise error
    home = get_settings().home
    if _is_at(home, Path(str(error.filename))):
        return 2, f"ADSPARK_HOME: {error.filename}: {error.strerror}; name another folder."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return 2, f"{error.filename}: {error.strerror}; name another place, or get the right to it."
    raise error


def _is_at(home: Path, path: Path) -> bool:
    """Whether a path lies in the home, or on the way to it."""
    return path.is_relative_to(home) or home.is_relative_to(path)


def _call(arguments: Sequence[str]) -> int:
    try:
        app(list(arguments))
    except SystemExit as end:
        return _code_of(end)
    return 0


def _code_of(end: SystemExit) -> int:
    if isinstance(end.__context__, BrokenPipeError):  # Rich and Typer make a failure of it
        return _leave_pipe()
    if isinstance(end.__context__, typer.Abort):
        return _code_of_abort(end.__context__)
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _code_of_abort(abort: typer.Abort) -> int:
    """That of Ctrl-C at a question, or that of one that was answered with no or not at all."""
    return 128 + signal.SIGINT if isinstance(abort.__context__, KeyboardInterrupt) else 1


def _leave_pipe() -> int:
    """End well where the reader of a pipe has seen enough, as `head` has."""
    drop_output()
    return 0


def _call_for_a_program(arguments: Sequence[str]) -> int:
    """The same, but what Typer would tell a person of a wrong call is a line of JSON."""
    try:
        return int(app(list(arguments), standalone_mode=False) or 0)
    except SystemExit as end:
        return _code_of(end)
    except typer.Abort as abort:
        print_error("It was not confirmed; give --yes, where a command has it.")
        return _code_of_abort(abort)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        code = int(getattr(error, "exit_code", 2))
        parameter = getattr(error, "param", None)
        print_error(error.format_message(), field=getattr(parameter, "name", None), exit_code=code)
        return code


if __name__ == "__main__":
    main()
