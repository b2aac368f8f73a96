"""Which reference pages there are, and what makes each."""

from collections.abc import Callable
from pathlib import Path

from scripts.reference import (
    command_json,
    commands,
    events,
    exports,
    flows,
    json_interface,
    metrics,
    settings,
    views,
)

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "settings": settings.make_page,
    "flows": flows.make_page,
    "commands": commands.make_page,
    "metrics": metrics.make_page,
    "events": events.make_page,
    "views": views.make_page,
    "exports": exports.make_page,
    "json": json_interface.make_page,
    "command-json": command_json.make_page,
}
"""The page's name in `docs/reference`, and the function that gives its Markdown."""
