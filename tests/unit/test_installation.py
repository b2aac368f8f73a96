"""What is to be installed is named by a command that works in the environment at hand."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ASK = "from adspark.installation import install_command; print(install_command('s3'))"


def environment(folder: Path, *, with_pip: bool) -> Path:
    """An environment that finds our code, as pip or uv would have made it; returns its python."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (folder / "pyvenv.cfg").write_text(
        f"home = {Path(sys.executable).resolve().parent}\ninclude-system-site-packages = false\n"
    )
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (packages / "ours.pth").write_text(f"{PROJECT}\n")
    if with_pip:
        (packages / "pip.py").touch()
    return python


@pytest.mark.parametrize(("with_pip", "is_active"), [(True, True), (True, False), (False, True)])
def test_the_command_is_that_of_the_environment(
    tmp_path: Path, *, with_pip: bool, is_active: bool
) -> None:
    python = environment(tmp_path / "env", with_pip=with_pip)
    active = {"VIRTUAL_ENV": str(tmp_path / "env")} if is_active else {}
    said = subprocess.check_output(
        [python, "-c", ASK], cwd=tmp_path, env={"PATH": "/usr/bin", **active}, text=True
    ).strip()
    own = PROJECT / ".make/uv/bin/uv"  # of `make`, where no other is found
    uv = own if own.exists() and not Path("/usr/bin/uv").exists() else "uv"
    how = "pip" if with_pip else f"{uv} pip"
    if with_pip and not is_active:
        how = "env/bin/python -m pip"
    assert said == f"{how} install 'adspark[s3]'"


def test_in_a_checkout_uv_adds_it_to_what_is_there() -> None:
    if Path(sys.prefix) != PROJECT / ".venv":
        pytest.skip("the tests run in another environment")
    ask = f"import importlib.util as u; u.find_spec = lambda name: None; {ASK}"
    said = subprocess.check_output([sys.executable, "-c", ask], cwd=PROJECT, text=True).strip()
    assert said.endswith("uv sync --inexact --extra s3")
