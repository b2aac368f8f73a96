"""The browser's program, as it is configured."""

import os
from pathlib import Path

from adspark.errors import ConfigurationError

INSTALL = "`playwright install chromium` (on Debian also: apt-get install chromium-headless-shell)"
"""How one gets a browser."""


def check_program(program: Path | None) -> None:
    """Raise ConfigurationError where the setting ADSPARK_BROWSER names what is no program."""
    if program is not None and not (program.is_file() and os.access(program, os.X_OK)):
        raise ConfigurationError(
            f"ADSPARK_BROWSER: there is no program {program}. Correct it, or leave it empty and "
            f"run {INSTALL}."
        )
