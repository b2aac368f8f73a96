"""What tests of generating share: a sandbox, a folder for pictures, and the workshop in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from tests.support import asking
from tests.support.workshop import Workshop, workshop


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """One sandbox for all, so that an original that one test has rendered serves the others."""
    with serve(SandboxSettings(generation_seconds=0.2, ping_every=0.2)) as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures are kept."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def shop(database: Database, sandbox: str, folder: Path) -> Workshop:
    """A workshop whose sandbox takes a moment for a generation and knows of nothing before."""
    asking.post(f"{sandbox}/sandbox/reset").raise_for_status()
    return workshop(database, sandbox, folder)
