"""How an extra of the package is installed into the environment that this process runs in."""

import os
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

_PROJECT = Path(__file__).parents[1]  # a checkout, where the package is installed from one


def current_folder() -> Path:
    """The folder that one is in; a path that leads nowhere where it has been deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path("(deleted)")


def install_command(extra: str | None = None) -> str:
    """The command that installs an extra here, or the package with all that it needs, for a shell.

    An environment that uv has made has no pip: in a checkout's own, uv adds the extra as its lock
    says; into another it installs as pip would.
    """
    package = f"'adspark[{extra}]'" if extra else "adspark"
    environment = Path(sys.prefix)
    is_active = os.environ.get("VIRTUAL_ENV") == str(environment)
    if find_spec("pip") is not None:
        return f"{'pip' if is_active else f'{_quote(sys.executable)} -m pip'} install {package}"
    ours = _PROJECT / ".make/uv/bin/uv"
    uv = _quote(ours) if shutil.which("uv") is None and ours.exists() else "uv"
    if environment.parent == _PROJECT and (_PROJECT / "uv.lock").exists():
        where = "" if current_folder() == _PROJECT else f" --project {_quote(_PROJECT)}"
        return f"{uv} sync --inexact{f' --extra {extra}' if extra else ''}{where}"
    return f"{uv} pip install {'' if is_active else f'--python {_quote(environment)} '}{package}"


def _quote(path: Path | str) -> str:
    """A path as a shell takes it: short where it lies in the folder that one is in."""
    whole, here = Path(path), current_folder()
    return shlex.quote(str(whole.relative_to(here) if whole.is_relative_to(here) else whole))
