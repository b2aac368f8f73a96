"""`python -m benchmarks.due`: what it costs to say which of 10,000 due watches are next.

PostgreSQL's CPU time for the statement that orders due watches by their users' shares (the median
of nine runs), with a ledger of 200,000 fetches, beside the same watches by their due time alone,
and held against a limit of 50 ms. Exit code 1 says that the limit was passed.
"""

import statistics

import psycopg
from rich.console import Console

from adspark.watches.sharing.due import SELECT_DUE
from benchmarks.arguments import parse_scale
from benchmarks.server import Server, running_server
from benchmarks.targets import Target, judge

_WATCHES, _FETCHES, _DETAILS = 10_000, 200_000, 20_000
_USERS = (10, 100, 1000)
_RUNS = 9
_LIMIT = 50.0  # milliseconds

_FILL = """
    INSERT INTO search_share (user_id, weight)
    SELECT n, 1 + n %% 3 FROM generate_series(1, %(users)s) AS n;
    INSERT INTO watch (user_id, name, text, political_ads, is_active, due_at)
    SELECT 1 + n %% %(users)s, 'watch ' || n, 'example.com', false, true,
        now() - make_interval(secs => n)
    FROM generate_series(1, %(watches)s) AS n;
    INSERT INTO "fetch" (id, query, query_hash, watch_id, is_dry_run, status, pages,
        searches_billed, searches_cached, new_count, changed_count, unchanged_count,
        rejected_count, started_at)
    SELECT gen_random_uuid(), '{}', 'x', (SELECT min(id) FROM watch) + n %% %(watches)s, false,
        'completed', 1, 1 + n %% 3, 0, 0, 0, 0, 0, now() - make_interval(secs => n * 10)
    FROM generate_series(1, %(fetches)s) AS n;
    INSERT INTO creative_detail (ad_creative_id, watch_id, asked_at, searches_billed)
    SELECT 'CR' || n, (SELECT min(id) FROM watch) + n %% %(watches)s,
        now() - make_interval(secs => n * 100), 1
    FROM generate_series(1, %(details)s) AS n
"""
_BY_TIME = "SELECT id FROM watch WHERE is_active AND due_at <= now() ORDER BY due_at, id"


def main() -> int:
    scale = parse_scale("due", __doc__)
    slowest = 0.0
    with running_server() as server:
        for users in _USERS:
            name = server.clone()
            with psycopg.connect(
                server.url(name), autocommit=True, cursor_factory=psycopg.ClientCursor
            ) as connection:
                connection.execute(
                    _FILL,
                    {
                        "users": users,
                        "watches": _WATCHES // scale,
                        "fetches": _FETCHES // scale,
                        "details": _DETAILS // scale,
                    },
                )
            server.settle(name)
            shared, alone = (_measure(server, name, one) for one in (SELECT_DUE.text, _BY_TIME))
            server.drop(name)
            slowest = max(slowest, shared)
            Console().print(
                f"{_WATCHES // scale:,} due watches of {users:,} users: {shared:.1f} ms by share, "
                f"{alone:.1f} ms by due time alone"
            )
    target = Target(what="By share, of 50 ms", ratio=slowest / _LIMIT, most=1.0)
    return judge([target])


def _measure(server: Server, name: str, statement: str) -> float:
    """Milliseconds of PostgreSQL's CPU for the statement and its rows, the median of some runs."""
    spent = []
    with psycopg.connect(server.url(name)) as connection:
        for _ in range(_RUNS):
            before = server.backend_milliseconds(connection.info.backend_pid)
            connection.execute(statement.encode()).fetchall()
            spent.append(server.backend_milliseconds(connection.info.backend_pid) - before)
    return statistics.median(spent)


if __name__ == "__main__":
    raise SystemExit(main())
