"""Fifty variants while everything goes wrong at times: each ends, nothing is paid twice."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from adspark.db.engine import Database
from adspark.models import VariantStatus
from adspark.sandbox.dify.faults import DifyFaultKind
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.variants.lists import list_variants, read_open_variants
from adspark.variants.store import VariantSummary
from tests.support.workshop import Workshop, workshop

_VARIANTS = 50
_ADS = 5  # that the variants are of, for rendering is not what this is about
_AT_ONCE = 5
_TRIES = 4  # as tasks have
_MOST_ROUNDS = 20
# Of the faults that last, how long; as long as the workshop's patience, and more.
_SECONDS = {"late_first_event": 1.5, "silence": 1.5, "slow": 0.5}
# What may be the end of a variant, and nothing else.
_CAUSES = {
    "QuotaExhaustedError",  # quota, plan_limit
    "InvalidCredentialsError",  # unauthorized
    "GenerationFailedError",  # failed_run, error_event
    "RateLimitedError",  # busy, as often as it is tried
    "NotBegunError",  # server_error, unavailable and upload_error, as often as it is tried
}


async def test_with_every_fault_each_variant_ends_and_is_paid_once(
    database_url: str, tmp_path: Path
) -> None:
    settings = SandboxSettings(generation_seconds=0.1, ping_every=0.2, seed=4)
    with serve(settings) as url:
        async with Database(database_url) as database:
            shop = patient(workshop(database, url, tmp_path))
            ids = await shop.stock()
            await shop.request(*(ids[n % _ADS] for n in range(_VARIANTS)))
            faults = [
                {"kind": kind, "probability": 0.2}
                | ({"seconds": _SECONDS[kind]} if kind in _SECONDS else {})
                for kind in DifyFaultKind
            ]
            shop.switch_on(*faults)
            await make_all(database_url, url, tmp_path, shop)
            async with database.session() as session:
                ended = await list_variants(session, limit=_VARIANTS)
            check(ended, shop)
            kinds = {(await shop.row(one.id)).error_kind for one in ended} - {None}
            assert kinds <= _CAUSES
            assert len(kinds) >= 3


async def make_all(database_url: str, url: str, folder: Path, shop: Workshop) -> None:
    """Several workers take up what is open, again and again, until nothing is."""
    for _ in range(_MOST_ROUNDS):
        async with shop.database.session() as session:
            left = iter([one.id for one in await read_open_variants(session)])
        await asyncio.gather(*(work(database_url, url, folder, left) for _ in range(_AT_ONCE)))
        async with shop.database.session() as session:
            if not await read_open_variants(session):
                return
        await asyncio.sleep(shop.lost_after)


async def work(database_url: str, url: str, folder: Path, left: Iterator[int]) -> None:
    """One worker, with connections of its own."""
    async with Database(database_url) as database:
        shop = patient(workshop(database, url, folder))
        for variant_id in left:
            await shop.try_to_make(variant_id, tries=_TRIES)


def patient(shop: Workshop) -> Workshop:
    shop.first_event = shop.silence = 1.0
    return shop


def check(ended: list[VariantSummary], shop: Workshop) -> None:
    statuses = Counter(one.status for one in ended)
    assert set(statuses) == {VariantStatus.COMPLETED, VariantStatus.FAILED}
    assert statuses.total() == _VARIANTS
    assert min(statuses.values()) >= _VARIANTS // 10, "the faults were to hit some, not all"
    bill = shop.bill
    assert bill["paid"] == statuses[VariantStatus.COMPLETED] + bill["failed"]
    assert max(bill["by_user"].values()) == 1, "a generation was asked for twice"
    assert bill["running"] == bill["stopped"] == 0
    for one in ended:
        if one.status is VariantStatus.COMPLETED:
            assert one.description
            assert (one.image_path is None) == (one.problem is not None)
        else:
            assert one.error
