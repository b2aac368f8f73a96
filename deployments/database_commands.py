"""`adspark db`: the database's schema."""

import typer

from adspark import schema
from adspark.errors import DatabaseSetupError
from adspark.serving import database_url
from adspark.settings import get_settings
from deployments.current_database import current_settings
from deployments.output import out

app = typer.Typer(
    help="The database's schema: create, upgrade, current, check.", no_args_is_help=True
)


@app.command()
def create() -> None:
    """Make the database that ADSPARK_DATABASE_URL names, where it is missing, and migrate it."""
    settings = get_settings()
    if settings.database_url is not None:
        schema.create(settings.database_url.get_secret_value())
    upgrade()


@app.command()
def upgrade() -> None:
    """Bring the database to the newest migration."""
    with database_url(current_settings(get_settings()), migrate=False) as url:
        before = schema.current(url)
        after = schema.upgrade(url)
    out.print(f"The database is at {after}" + (" already." if before == after else "."))


@app.command()
def current() -> None:
    """Show the migration that the database is at."""
    with database_url(current_settings(get_settings()), migrate=False) as url:
        at, newest = schema.current(url), schema.newest()
    if at == newest:
        out.print(f"{at} (newest)")
    else:
        out.print(f"{at or 'empty'}; newest is {newest}, reach it with: adspark db upgrade")


@app.command()
def check() -> None:
    """Check that the database can be used: reachable, new enough, migrated, writable."""
    with database_url(current_settings(get_settings()), migrate=False) as url:
        at = schema.current(url)
        if at != schema.newest():
            raise DatabaseSetupError(
                f"The database is at {at or 'no migration'}, AdSpark needs {schema.newest()}; "
                f"run: adspark db upgrade"
            )
        schema.check_rights(url)
        if differences := schema.differences(url):
            raise DatabaseSetupError(
                f"The tables differ from what AdSpark expects ({differences[0]}); "
                f"restore them, or start from an empty database."
            )
    out.print(f"The database is ready ({at}).")
