"""What the pages show beside a generated library: documents, thumbnails, variants with reviews."""

import io
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from PIL import Image

from benchmarks.library_workload import Workload
from benchmarks.server import Server

_ADS_A_VARIANT = 5
_VARIANT_USERS = 5  # who have requested variants

# Of a hundred variants 90 are completed, of which every second wants a review; two thirds of all
# completed ones are decided, some by two people.
_VARIANTS = """
    INSERT INTO ad_variant (original_ad_id, user_id, status, prompt, wants_review, attempt,
        generator, title, description, original_path, image_path, thumbnail_path, is_too_close,
        confidence_score, response_metadata, error, error_kind, requested_at, started_at,
        completed_at)
    SELECT 'CR' || lpad(n::text, 20, '0'), 1 + n %% %(users)s, s.status,
        repeat('Make it red. ', 20),
        n %% 2 = 0, 1, 'dify',
        CASE WHEN s.is_done THEN 'Title ' || n END,
        CASE WHEN s.is_done THEN repeat('Words of the copy. ', 40) END,
        'originals/00/' || md5(n::text) || md5(n::text) || '.png',
        CASE WHEN s.is_done THEN 'variants/00/' || md5(n::text) || md5(n::text) || '.png' END,
        CASE WHEN s.is_done THEN 'thumbnails/00/' || md5(n::text) || md5(n::text) || '.webp' END,
        n %% 50 = 0, CASE WHEN s.is_done THEN 0.9 END,
        jsonb_build_object('workflow_run_id', md5(n::text), 'elapsed_time', n %% 60),
        CASE WHEN s.status = 'failed' THEN 'The generator failed: ' || n END,
        CASE WHEN s.status = 'failed' THEN 'GenerationFailedError' END,
        m.moment, m.moment + interval '1 minute',
        CASE WHEN s.status NOT IN ('pending', 'processing')
            THEN m.moment + interval '1 minute' + n %% 60 * interval '1 second' END
    FROM generate_series(1, %(variants)s) AS n
        CROSS JOIN LATERAL (SELECT CASE n %% 100
            WHEN 1 THEN 'pending' WHEN 2 THEN 'processing' WHEN 3 THEN 'cancelled'
            WHEN 4 THEN 'failed' WHEN 5 THEN 'failed' ELSE 'completed' END,
            n %% 100 NOT BETWEEN 1 AND 5) AS s (status, is_done)
        CROSS JOIN LATERAL (
            SELECT now() - (%(variants)s - n) * interval '2 minutes' AS moment
        ) AS m
"""
_REVIEWS = """
    INSERT INTO variant_feedback (variant_id, user_id, is_approved, decided_at, rating, comment)
    SELECT v.id, u.id, (v.id + u.id) % 3 > 0, now(), 1 + v.id % 5, 'A comment.'
    FROM ad_variant v CROSS JOIN (VALUES (1), (2)) AS u (id)
    WHERE v.status = 'completed' AND v.id % 3 > 0 AND (u.id = 1 OR v.id % 10 = 0)
"""


def fill_library(server: Server, workload: Workload, media: Path, pictures: int) -> None:
    """The ads with all that is shown beside them.

    Args:
        server: whose first database is filled.
        workload: the ads.
        media: folder of the media store.
        pictures: how many of the newest ads have theirs.
    """
    workload.fill(server.url())
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SELECT refresh_search_document(ad_creative_id) FROM creative")
    _make_pictures(server, media, pictures)
    variants = workload.ads // _ADS_A_VARIANT
    with psycopg.connect(server.url()) as connection:
        connection.execute(_VARIANTS, {"users": _VARIANT_USERS, "variants": variants})
        connection.execute(_REVIEWS)
    server.settle("adspark")


def environment(server: Server, folder: Path) -> dict[str, str]:
    """Variables of a process that shows that library, whose media store is the folder."""
    return os.environ | {
        "ADSPARK_DATABASE_URL": server.url(),
        "ADSPARK_MEDIA_URL": str(folder),
        "ADSPARK_HOME": str(folder / "home"),
    }


def questions(workload: Workload, times: int) -> Iterator[dict[str, Any]]:
    """What is asked for, so many times: a word, and numbers of what there is."""
    for number in range(times):
        yield {
            "word": workload.words[number * 37 % len(workload.words)],
            "advertiser": number % 200 + 1,
            "other": number % 200 + 2,
            "third": number % 200 + 3,
            "fourth": number % 200 + 4,
            "watch": number % 20 + 1,
            "user": number % _VARIANT_USERS + 1,
            "ad": number % workload.ads,
            "variant": number * 7 % (workload.ads // _ADS_A_VARIANT) + 1,
        }


def _make_pictures(server: Server, media: Path, count: int) -> None:
    """Thumbnails of the newest ads, as the archive keeps them."""
    chance = random.Random(17)
    with psycopg.connect(server.url()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT ad_creative_id, content_hash FROM creative "
            "ORDER BY first_shown DESC, ad_creative_id DESC LIMIT %s",
            (count,),
        )
        for number, (ad, content_hash) in enumerate(cursor.fetchall()):
            name = f"{number:064x}"
            path = media / "thumbnails" / name[:2] / f"{name}.webp"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_thumbnail(chance))
            cursor.execute(
                "INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, "
                "thumbnail_path, picture_bytes, thumbnail_bytes, stored_at) "
                "VALUES (%s, %s, 'stored', %s, %s, %s, 1, 1, now()) "
                "ON CONFLICT (ad_creative_id, content_hash) DO UPDATE SET status = 'stored', "
                "sha256 = excluded.sha256, path = excluded.path, "
                "thumbnail_path = excluded.thumbnail_path, stored_at = now()",
                (ad, content_hash, name, f"pictures/{name[:2]}/{name}.png",
                 f"thumbnails/{name[:2]}/{name}.webp"),
            )  # fmt: skip


def _thumbnail(chance: random.Random) -> bytes:
    """About ten kilobytes, as those of real ads."""
    small = Image.frombytes("RGB", (40, 40), chance.randbytes(4800))
    out = io.BytesIO()
    small.resize((320, 320)).save(out, "WEBP", quality=80)
    return out.getvalue()
