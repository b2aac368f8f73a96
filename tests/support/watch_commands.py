"""`adspark watch`, called as a user calls it, and the watches that it made."""

from typing import Any

from adspark.watches.definition import WatchDefinition
from tests.support.commanding import Command

command = Command("watch", columns=100)
run, told = command.run, command.told


def listed(*arguments: str) -> list[dict[str, Any]]:
    """The watches, as a program reads them."""
    rows: list[dict[str, Any]] = command.given("list", *arguments)["watches"]
    return rows


def definitions() -> list[dict[str, Any]]:
    """What is not default in the watches."""
    found = [WatchDefinition.model_validate(row["definition"]) for row in listed()]
    return [one.model_dump(mode="json", exclude_defaults=True) for one in found]
