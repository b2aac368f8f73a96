"""What this machine has to give: a folder, room on its disk, ports, and the stack that runs."""

import asyncio
import os
from pathlib import Path

from adspark.db import migrate
from adspark.db.configured import database_url, in_own_thread
from adspark.db.embedded import postgres_folder
from adspark.db.engine import Database
from adspark.errors import ConfigurationError
from adspark.home.running_stack import (
    describe_orphaned,
    is_starting,
    orphaned_stack,
    running_stack,
)
from adspark.maintenance.check import Check
from adspark.maintenance.disk import check_disk
from adspark.maintenance.health_checks import check_media
from adspark.maintenance.lost_pictures import check_pictures
from adspark.media.store import MediaStore
from adspark.settings import Settings, media_url
from deployments.stack.ports import check_ports, stack_ports

_HOME_REMEDY = "let this user write there, or set ADSPARK_HOME"


async def check_home(settings: Settings) -> Check:
    """Whether ADSPARK_HOME can be written, or made, and its disk has room."""
    if fault := _find_home_fault(settings.home):
        return Check.failed("disk", fault, _HOME_REMEDY)
    return await check_disk(existing_parent(settings.home))


def check_home_folder(home: Path) -> None:
    """Raise ConfigurationError where ADSPARK_HOME cannot be written, or made."""
    if fault := _find_home_fault(home):
        raise ConfigurationError(f"ADSPARK_HOME: {fault}; {_HOME_REMEDY}.")


async def check_stack(settings: Settings) -> Check:
    """Whether the local stack runs with all its processes, or has the ports that it needs.

    None is needed where PREFECT_API_URL names another server, as in containers.
    """
    stack = running_stack(settings.home)
    if is_starting(settings.home):
        return Check.warning("stack", "is being started", "wait for it, and ask again")
    if stack is None and os.environ.get("PREFECT_API_URL"):
        return Check.ok("stack", "none here; PREFECT_API_URL names a server")
    if orphaned := orphaned_stack(settings.home):
        return Check.failed("stack", *describe_orphaned(orphaned))
    if stack is None:
        ports = stack_ports(settings)
        check_ports(ports)
        free = ", ".join(str(one.port) for one in ports)
        return Check.not_set_up("stack", f"does not run; ports {free} are free", "adspark up")
    gone = [name for name, process in stack.parts.items() if process.find() is None]
    if gone:
        remedy = f"it is started again by itself; see {stack.home / 'logs'}"
        return Check.failed("stack", f"runs, but without {', '.join(gone)}", remedy)
    return Check.ok("stack", f"runs; gallery {stack.gallery_url}")


def check_database(settings: Settings) -> Check:
    """Whether the database answers, is new enough, migrated, complete and writable.

    An embedded server that does not run is started for it; one that was never made is not made.

    Raises:
        DatabaseSetupError, DatabaseUnavailableError: it cannot be used; says why.
    """
    is_embedded = settings.database_url is None
    if is_embedded and not _is_made(settings):
        return Check.not_set_up("database", "is not made yet", "adspark up, which makes it")
    with database_url(settings, upgrade=False) as url:
        at = migrate.check_ready(url)
        server, missing = migrate.server_version(url), migrate.missing_extensions(url)
    kind = "embedded PostgreSQL" if is_embedded else "PostgreSQL"
    state = f"{kind} {server}, migration {at}"
    if missing:
        return Check.warning("database", f"{state}; {missing[0]}", "adspark db upgrade")
    return Check.ok("database", f"{state}, all extensions")


async def check_media_store(settings: Settings) -> Check:
    """Whether pictures can be kept; a folder in ADSPARK_HOME is made by the first one."""
    is_folder = settings.media_url is None
    if is_folder and not await asyncio.to_thread(Path(media_url(settings)).exists):
        return Check.not_set_up("media store", "is made by the first picture")
    return await check_media(MediaStore(media_url(settings)), settings.home)


async def check_stored_pictures(settings: Settings) -> Check:
    """Whether the media store has the pictures that the database counts.

    Raises:
        AdSparkError: the database or the media store cannot be used.
    """
    if settings.database_url is None and not await asyncio.to_thread(_is_made, settings):
        return Check.ok("pictures", "none is stored yet")
    async with (
        in_own_thread(database_url(settings, upgrade=False)) as url,
        Database(url) as database,
        database.session() as session,
    ):
        return await check_pictures(session, MediaStore(media_url(settings)))


def _is_made(settings: Settings) -> bool:
    """Whether there is an embedded database."""
    return (postgres_folder(settings.home) / "data").exists()


def existing_parent(folder: Path) -> Path:
    """The folder, else the nearest one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def _find_home_fault(home: Path) -> str | None:
    existing = existing_parent(home)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return None
    return f"{home} cannot be {'written' if existing == home else 'made'}"
