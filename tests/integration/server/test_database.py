"""Prefect's server may be started before its database is there."""

import threading
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import URL, make_url

from deployments.server.database import wait_for_database


@pytest.fixture
def address(empty_database_url: str) -> URL:
    """Of a database that is there, as Prefect's settings name it."""
    return make_url(empty_database_url).set(drivername="postgresql+asyncpg")


def test_a_database_that_is_there_is_found_whatever_else_its_address_says(address: URL) -> None:
    assert wait_for_database(address, patience=0)
    assert wait_for_database(address.update_query_dict({"ssl": "prefer"}), patience=0)


def test_one_that_is_made_later_is_waited_for(
    address: URL, administration: psycopg.Connection
) -> None:
    name = f"{address.database}_later"
    found: list[bool] = []

    def wait() -> None:
        found.append(wait_for_database(address.set(database=name)))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not wait_for_database(address.set(database=name), patience=0)
    administration.execute(f'CREATE DATABASE "{name}"'.encode())
    waiting.join()
    administration.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
    assert found == [True]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda one: one.set(database="none"), id="no such database"),
        pytest.param(lambda one: one.update_query_dict({"host": "/nowhere"}), id="no server"),
    ],
)
def test_one_that_never_comes_is_not_waited_for_for_ever(
    address: URL, change: Callable[[URL], URL]
) -> None:
    assert not wait_for_database(change(address), patience=0)


def test_sqlite_is_there_at_once() -> None:
    assert wait_for_database(make_url("sqlite+aiosqlite:////nowhere/prefect.db"), patience=0)
