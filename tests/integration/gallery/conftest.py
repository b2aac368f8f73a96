"""What tests of the gallery share beside its pages."""

from collections.abc import Iterator

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings


@pytest.fixture(scope="module")
def prefect_away() -> Iterator[None]:
    """Nobody answers for Prefect, whatever other tests of this process have started."""
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        yield
