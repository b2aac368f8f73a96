"""The streamed export: what it holds, that it says what is wrong first, and lets go of all."""

import asyncio
import tracemalloc
from contextlib import aclosing
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.export.stream import stream_ads
from tests.support.exporting import csv_rows, export, json_rows
from tests.support.gallery import GalleryClient, serve_gallery
from tests.support.library import ad
from tests.support.stored_ads import change

_MANY = """
    INSERT INTO creative (ad_creative_id, advertiser_id, format, image_url, first_shown, last_shown)
    SELECT 'CR' || lpad(n::text, 20, '0'), advertiser_id, 'text', repeat('x', 300), now(), now()
    FROM generate_series(1000, {last}) AS n,
        (SELECT advertiser_id FROM advertiser ORDER BY 1 LIMIT 1) AS one
"""
_CUT = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
""")
_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {what}"


async def test_it_holds_what_the_file_of_an_export_holds(
    pages: GalleryClient, database: Database
) -> None:
    for ending in ("csv", "jsonl"):
        answer = await pages.get(f"/api/v1/export/ads.{ending}?words=yes")
        await export(database, f"a.{ending}")

        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="ads.{ending}"'
        rows = {"csv": csv_rows, "jsonl": json_rows}[ending](answer.content)
        assert {one["ad_creative_id"] for one in rows} == {ad(1), ad(2), ad(5)}
        whole = await pages.get(f"/api/v1/export/ads.{ending}")
        assert whole.content == Path(f"a.{ending}").read_bytes()


async def test_nothing_that_matches_is_an_empty_file(pages: GalleryClient) -> None:
    lines = await pages.get("/api/v1/export/ads.jsonl?domain=nobody.example")
    table = await pages.get("/api/v1/export/ads.csv?domain=nobody.example")

    assert (lines.status_code, lines.content) == (200, b"")
    assert table.content.startswith(b"\xef\xbb\xbfad_creative_id,title")
    assert csv_rows(table.content) == []


async def test_its_memory_does_not_grow_with_the_ads(
    pages: GalleryClient, database: Database
) -> None:
    async def peak(written: Format) -> tuple[int, int]:
        """Bytes that were read, and the most that were kept meanwhile."""
        size = 0
        tracemalloc.start()
        try:
            async with aclosing(stream_ads(database, ExportRequest(), written)) as parts:
                async for part in parts:
                    size += len(part)
            return size, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    await change(database, _MANY.format(last=3_000))
    few = {written: await peak(written) for written in (Format.CSV, Format.JSON_LINES)}
    await change(database, _MANY.replace("1000", "3001").format(last=12_000))
    for written, (size, most) in few.items():
        more, most_of_more = await peak(written)
        assert more > 3 * size
        assert most_of_more < 1.5 * most


async def test_a_reader_who_leaves_frees_its_connection_and_its_turn(
    pages: GalleryClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    await change(database, _MANY.format(last=30_000))
    with serve_gallery(database_url, tmp_path) as url:
        for _ in range(3):  # more than are read at once
            async with (
                httpx.AsyncClient(base_url=url, timeout=None) as client,
                client.stream("GET", "/api/v1/export/ads.jsonl") as answer,
            ):
                assert answer.status_code == 200
                await anext(answer.aiter_raw())
            await _wait_until_none(database_url, "state <> 'idle' AND pid <> pg_backend_pid()")


async def test_more_than_two_at_once_are_told_to_wait(
    pages: GalleryClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    await change(database, _MANY.format(last=30_000))
    path = "/api/v1/export/ads.csv"
    with serve_gallery(database_url, tmp_path) as url:
        async with (
            httpx.AsyncClient(base_url=url, timeout=None) as client,
            client.stream("GET", path) as one,
            client.stream("GET", path) as other,
        ):
            assert one.status_code == other.status_code == 200
            third = await client.get(path)
            assert (await client.get("/api/v1/advertisers")).status_code == 200
            whole = b"".join([part async for part in one.aiter_raw()])
    assert len(csv_rows(whole)) == 29_006
    assert third.status_code == 503
    assert third.headers["retry-after"]
    assert "as many files as go at once" in third.json()["detail"]


async def test_an_export_that_is_cut_off_does_not_look_whole(
    pages: GalleryClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    await change(database, _MANY.format(last=30_000))
    with serve_gallery(database_url, tmp_path) as url:
        async with (
            httpx.AsyncClient(base_url=url, timeout=None) as client,
            client.stream("GET", "/api/v1/export/ads.jsonl") as answer,
        ):
            parts = answer.aiter_raw()
            await anext(parts)
            async with database.session() as session:
                await session.execute(_CUT)
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in parts:
                    pass


async def _wait_until_none(database_url: str, what: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute(_OPEN.format(what=what)).fetchone() != (0,):
            await asyncio.sleep(0.05)
