"""The Celery application: a task that sends a message for each due watch, and one that checks it.

Threads with a pool of connections each to PostgreSQL and to SerpApi; messages are acknowledged late
and fetched one at a time; no results are kept, since the database has them.
"""

import hashlib
import json
import os
import re
import threading
from datetime import UTC, datetime
from typing import Any

import httpx
from celery import Celery
from psycopg_pool import ConnectionPool

from adspark.serpapi.client import AT_ONCE
from benchmarks.celery_peer import sql
from benchmarks.peer_sql import SAVE_JSON

app = Celery("peer", broker=os.environ["PEER_BROKER_URL"])
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_pool_limit=4,
)
_POOL = ConnectionPool(
    os.environ["PEER_DATABASE_URL"], min_size=6, max_size=6, kwargs={"prepare_threshold": 0},
    open=True,
)  # fmt: skip
_SERPAPI = httpx.Client(base_url=os.environ["PEER_SERPAPI_URL"], timeout=60)
_SEARCHES = threading.BoundedSemaphore(AT_ONCE)
_NONCES = re.compile(r"&(?:htmlParentId|responseCallback)=[^&]*")
_STORED = (
    "ad_creative_id", "advertiser_id", "advertiser", "format", "image", "link", "width", "height",
    "target_domain", "total_days_shown", "details_link", "minimum_views_count",
    "maximum_views_count", "minimum_budget_spent", "maximum_budget_spent",
)  # fmt: skip


@app.task(name="sweep")  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Send a message for each watch that is due."""
    with _POOL.connection() as connection:
        due = connection.execute(sql.READ_DUE).fetchall()
    with app.producer_pool.acquire(block=True) as producer:
        for (watch_id,) in due:
            process_watch.apply_async((watch_id,), producer=producer)


@app.task(  # type: ignore[untyped-decorator]
    name="process_watch", autoretry_for=(httpx.HTTPError,), max_retries=3, default_retry_delay=60
)
def process_watch(watch_id: int) -> None:
    """Search, and store the page with its links, events and ledger in one transaction."""
    with _POOL.connection() as connection:
        row = connection.execute(sql.READ_WATCH, {"watch_id": watch_id}).fetchone()
    if row is None:
        return
    advertiser_ids, region, baseline_at, _, ended_after_days, _ = row
    query = {"advertiser_id": ",".join(advertiser_ids), "region": region}
    started_at = datetime.now(UTC)
    page = _search(query)
    rows = [_read(one) for one in page.get("ad_creatives", ())]
    values = {
        "watch_id": watch_id,
        "is_baseline": baseline_at is None,
        "ended_after_days": ended_after_days,
        "rows": json.dumps(rows),
        "regions": [region] if region else [],
        "platforms": [],
        "started_at": started_at,
        "search_id": page["search_metadata"]["id"],
        "query": json.dumps(query),
        "query_hash": hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest(),
    }
    with _POOL.connection() as connection, connection.pipeline():
        told = connection.execute(SAVE_JSON, values).fetchall() if rows else []
        new = sum(inserted for _, inserted in told)
        counts = {"new": new, "changed": len(told) - new, "unchanged": len(rows) - len(told)}
        if rows:
            connection.execute(sql.LINK, values)
        if baseline_at is not None:
            connection.execute(sql.END, values)
        connection.execute(sql.RECORD_FETCH, values | counts)
        connection.execute(sql.CLOSE_WATCH, values)


def _search(query: dict[str, Any]) -> dict[str, Any]:
    parameters = {name: value for name, value in query.items() if value} | {
        "engine": "google_ads_transparency_center",
        "num": "100",
        "api_key": os.environ["PEER_SERPAPI_KEY"],
    }
    with _SEARCHES:
        answer = _SERPAPI.get("/search.json", params=parameters)
    answer.raise_for_status()
    page: dict[str, Any] = answer.json()
    return page


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a row, its times as text, its link without what differs every time."""
    stored = {name: row[name] for name in _STORED if row.get(name) is not None}
    for name in ("first_shown", "last_shown"):
        if row.get(name):
            stored[name] = datetime.fromtimestamp(row[name], UTC).isoformat()
    if "link" in stored:
        stored["link"] = _NONCES.sub("", stored["link"])
    return stored
