"""A page is opened in a browser where there is a screen, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import wait_until

_URL = "http://127.0.0.1:4280/library"
_CODE = (
    f"from deployments.terminal.browser import open_in_browser; print(open_in_browser('{_URL}'))"
)


def opened(**variables: str) -> str:
    """What a process of its own says, whose environment has no screen but for these variables."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")
    clean = {name: value for name, value in os.environ.items() if name not in screens}
    done = subprocess.run(
        [sys.executable, "-c", _CODE], env=clean | variables, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_browser_of_the_person_opens_the_page(tmp_path: Path) -> None:
    seen, program = tmp_path / "seen", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    program.chmod(0o700)
    assert opened(BROWSER=str(program)) == "True"
    wait_until(lambda: seen.exists() and seen.read_text().strip() == _URL)


def test_without_a_screen_no_browser_takes_the_terminal() -> None:
    assert opened() == "False"
