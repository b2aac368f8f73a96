"""Make Prefect's database ready: its tables and the types of blocks.

`python -m deployments.docker.server_database`.

A server does so itself at its start; but several that start at once, on an empty database, get into
each other's way, and all but one of them end with an error.
"""

import asyncio
import sys

from prefect.server.database import provide_database_interface
from prefect.server.models.block_registration import run_block_auto_registration


async def prepare() -> None:
    """Migrate the database of PREFECT_SERVER_DATABASE_CONNECTION_URL; changes nothing twice."""
    database = provide_database_interface()
    await database.run_migrations_upgrade()
    async with await database.session() as session:
        await run_block_auto_registration(session)


if __name__ == "__main__":
    asyncio.run(prepare())
    sys.stdout.write("Prefect's database is ready.\n")
