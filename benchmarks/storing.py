"""Store the same pages in several ways, turn about, and see that the tables end up the same."""

import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection, BaseConnection
from psycopg.pq.abc import PGconn
from pydantic import BaseModel

from adspark.db.engine import Database
from adspark.serpapi.payloads import SearchPage
from benchmarks.contenders import (
    AdSparkContender,
    Contender,
    HandWrittenContender,
    RowByRowContender,
)
from benchmarks.server import Server
from benchmarks.workload import PAGE_SIZE, Case, Visit, make_preload, make_visits

_WARM_UP_ROUNDS = 2  # psycopg prepares what it is asked for the sixth time
_TRACED_ROUND = 9_000
_QUESTIONS = {"Query", "Sync"}  # after each the driver waits for ReadyForQuery
_MS = 1000.0

# The tables' content without what the clock wrote; `touched` finds rows that were written in vain.
_CREATIVES = """
    SELECT count(*), count(*) FILTER (WHERE updated_at > created_at) AS touched,
           md5(string_agg((to_jsonb(c) - 'created_at' - 'updated_at')::text, ''
               ORDER BY ad_creative_id))
    FROM creative AS c
"""
_ADVERTISERS = """
    SELECT count(*),
           md5(string_agg((to_jsonb(a) - 'created_at' - 'updated_at' - 'named_at')::text, ''
               ORDER BY advertiser_id))
    FROM advertiser AS a
"""
_LEDGER = """
    SELECT count(*), sum(pages), sum(searches_billed), sum(searches_cached),
           sum(cardinality(search_ids)), sum(new_count), sum(changed_count),
           sum(unchanged_count), sum(rejected_count), count(next_page_token)
    FROM "fetch"
"""


class StoringResult(BaseModel):
    """Medians of one contender in one case, a page of 100 rows each."""

    contender: str
    case: Case
    pages: int
    page_ms: float
    client_cpu_ms: float
    rows_per_second: float
    round_trips: int | None
    """Questions to the server a page, from the driver's own trace; it depends on no clock."""


class Mismatch(RuntimeError):  # noqa: N818  (reads better where it is raised)
    """Two contenders did not do the same work."""


async def compare_with_hand_written(
    server: Server, template: str, *, rounds: int, pages: int
) -> list[StoringResult]:
    """AdSpark beside psycopg with SQL by hand, rows and ledger."""
    names = [server.clone(template) for _ in range(3)]
    async with (
        Database(server.url(names[0])) as database,
        await AsyncConnection.connect(server.url(names[1])) as arrays,
        await AsyncConnection.connect(server.url(names[2])) as json,
    ):
        race = _Race(
            [
                AdSparkContender(database),
                HandWrittenContender(arrays),
                HandWrittenContender(json, as_json=True),
            ]
        )
        await race.run(rounds=rounds, pages=pages)
        results = await race.results([await _pooled(database), arrays, json])
    _check_same(server, names, [_CREATIVES, _ADVERTISERS, _LEDGER])
    return results


async def compare_with_row_by_row(
    server: Server, template: str, *, rounds: int
) -> list[StoringResult]:
    """AdSpark beside the same merge a row at a time, with a commit a row and a commit a page."""
    names = [server.clone(template) for _ in range(3)]
    async with Database(server.url(names[0])) as database:
        with (
            psycopg.connect(server.url(names[1])) as each_row,
            psycopg.connect(server.url(names[2])) as each_page,
        ):
            race = _Race(
                [
                    AdSparkContender(database),
                    RowByRowContender(each_row, commit_each_row=True),
                    RowByRowContender(each_page, commit_each_row=False),
                ]
            )
            await race.run(rounds=rounds, pages=1)
            results = await race.results([await _pooled(database), each_row, each_page])
    _check_same(server, names, [_CREATIVES, _ADVERTISERS])
    return results


async def preload(server: Server) -> str:
    """A database with some thousands of rows, to copy; made by one of the contenders."""
    name = server.clone()
    async with await AsyncConnection.connect(server.url(name)) as connection:
        contender = HandWrittenContender(connection)
        await contender.open("preload")
        for page in make_preload():
            await contender.store(page)
    server.settle(name)
    return name


class _Race:
    """Contenders that store the same pages, page by page in turn, the first place going round."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.contenders = contenders
        self._wall = defaultdict[tuple[Case, str], list[float]](list)
        self._cpu = defaultdict[tuple[Case, str], list[float]](list)

    async def run(self, *, rounds: int, pages: int) -> None:
        """Visit after visit; the first rounds are for warming up."""
        for number in range(rounds + _WARM_UP_ROUNDS):
            for visit in make_visits(number, pages=pages):
                for contender in self.contenders:
                    await contender.open(f"{visit.number} {visit.case}")
                await self._take_turns(visit, measured=number >= _WARM_UP_ROUNDS)

    async def _take_turns(self, visit: Visit, *, measured: bool) -> None:
        for place, page in enumerate(visit.pages):
            first = (visit.number + place) % len(self.contenders)
            for contender in [*self.contenders[first:], *self.contenders[:first]]:
                wall, cpu = time.perf_counter(), time.process_time()
                await contender.store(page)
                if measured:
                    key = visit.case, contender.name
                    self._wall[key].append(time.perf_counter() - wall)
                    self._cpu[key].append(time.process_time() - cpu)

    async def results(self, connections: Sequence[BaseConnection[Any]]) -> list[StoringResult]:
        """Medians by case and contender; on the contenders' `connections` one more page is traced.

        The traced page is a new one; every case asks the same questions.
        """
        page = make_visits(_TRACED_ROUND, pages=1)[0].pages[0]
        round_trips = {
            contender.name: await _count_round_trips(contender, page, connection.pgconn)
            for contender, connection in zip(self.contenders, connections, strict=True)
        }
        return [
            self._result(contender.name, case, round_trips[contender.name])
            for case in Case
            for contender in self.contenders
        ]

    def _result(self, name: str, case: Case, round_trips: int | None) -> StoringResult:
        seconds = statistics.median(self._wall[case, name])
        return StoringResult(
            contender=name,
            case=case,
            pages=len(self._wall[case, name]),
            page_ms=seconds * _MS,
            client_cpu_ms=statistics.median(self._cpu[case, name]) * _MS,
            rows_per_second=PAGE_SIZE / seconds,
            round_trips=round_trips,
        )


async def _pooled(database: Database) -> AsyncConnection:
    """The driver's connection in the pool; there is only one, for nobody stores at once."""
    async with database.session() as session:
        pooled = await (await session.connection()).get_raw_connection()
        connection = pooled.driver_connection
    if not isinstance(connection, AsyncConnection):
        raise TypeError(f"the pool holds a {type(connection).__name__}")
    return connection


async def _count_round_trips(
    contender: Contender, page: SearchPage, connection: PGconn
) -> int | None:
    """Questions to the server while a page is stored; None where libpq cannot be traced."""
    await contender.open("trace")
    with tempfile.TemporaryFile("w+") as file:
        try:
            connection.trace(file.fileno())
        except psycopg.NotSupportedError:
            await contender.store(page)
            return None
        await contender.store(page)
        connection.untrace()
        file.seek(0)
        messages = [line.rstrip().split("\t") for line in file]
    return sum(message[1] == "F" and message[3] in _QUESTIONS for message in messages)


def _check_same(server: Server, names: Sequence[str], statements: Sequence[str]) -> None:
    """Raise Mismatch where the databases differ in what the statements tell."""
    for statement in statements:
        found = []
        for name in names:
            with psycopg.connect(server.url(name)) as connection:
                found.append(connection.execute(statement).fetchone())
        if len(set(found)) != 1:
            raise Mismatch(f"the contenders stored different things: {found}")
