"""Make Prefect's database ready: its tables and the types of blocks.

`python -m deployments.docker.server_database`.

A server does so itself at its start; but several that start at once, on an empty database, get into
each other's way, and all but one of them end with an error.
"""

import asyncio
import sys

from orchestration.server.prefect_internals import prepare_server_database

if __name__ == "__main__":
    asyncio.run(prepare_server_database())
    sys.stdout.write("Prefect's database is ready.\n")
