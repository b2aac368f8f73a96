"""Which reference pages there are, and what makes each."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
_NAMES = ("settings", "flows", "commands", "metrics", "events", "views", "exports")
_MODULES = {one: one for one in _NAMES} | {"json": "json_interface", "command-json": "command_json"}
PAGES: dict[str, Callable[[], str]] = {
    name: import_module(f"scripts.reference.{module}").make_page
    for name, module in _MODULES.items()
}
"""The page's name in `docs/reference`, and the function that gives its Markdown."""
