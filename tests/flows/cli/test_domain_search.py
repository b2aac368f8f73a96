"""Who advertises for a domain is found for one search, which is not paid twice."""

import logging
from collections.abc import Iterator

import pytest

from adspark.errors import InvalidQueryError
from tests.support.commanding import Command
from tests.support.sandbox_control import searches

pytestmark = pytest.mark.usefixtures("environment", "_log_as_before")

advertisers = Command("advertisers")


@pytest.fixture
def _log_as_before() -> Iterator[None]:
    """The command silences log handlers of its process, which is that of the tests."""
    handlers = {one: list(one.filters) for one in logging.getLogger().handlers}
    yield
    for handler, filters in handlers.items():
        handler.filters = filters


def test_one_search_shows_who_advertises_for_a_domain_and_is_paid_once(sandbox_url: str) -> None:
    paid = searches(sandbox_url)["requests"]
    refused = advertisers.run("find", "https://www.hubspot.com/x", "--search", typed="n\n")
    assert refused.exit_code == 1
    assert "Searching for hubspot.com costs one search; 0 were billed this month." in refused.stderr
    with pytest.raises(InvalidQueryError, match="name: 'New Balance' is not a domain"):
        advertisers.told("find", "New Balance", "--search", "--yes")
    assert searches(sandbox_url)["requests"] == paid
    first = advertisers.told("find", "hubspot.com", "--search", "--yes")
    assert "Hubspot, Inc." in first
    assert first.endswith("Searches: 1 billed, 0 cached.")
    assert searches(sandbox_url)["requests"] == paid + 1
    again = advertisers.given("find", "hubspot.com", "--search")
    assert [one["name"] for one in again["advertisers"]] == ["Hubspot, Inc."]
    assert (again["searches_billed"], again["searched_at"] is None) == (0, False)
    assert searches(sandbox_url)["requests"] == paid + 1
