"""Open a page in the browser of whoever sits at the terminal, where there is one."""

import os
import sys
import webbrowser
from contextlib import suppress

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "BROWSER")


def open_in_browser(url: str) -> bool:
    """Open an address; returns whether a browser was started.

    Without a screen there is none: one that works in the terminal would take it over.
    """
    if sys.platform != "darwin" and not any(os.environ.get(name) for name in _SCREENS):
        return False
    with suppress(webbrowser.Error, OSError):
        return webbrowser.open(url)
    return False
