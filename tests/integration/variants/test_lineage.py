"""Where a variant came from: its parent, the version of the ad, workflow and seed."""

from pathlib import Path

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.models import VariantStatus
from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.variants.requests import VariantRequest, request_variants
from tests.support.variants_at_hand import AD, OTHER, ask, finish, make, stocked
from tests.support.workshop import workshop


async def test_a_variant_of_a_variant_begins_with_its_picture_and_is_compared_with_the_ad(
    database: Database, tmp_path: Path
) -> None:
    with serve(SandboxSettings(generation_seconds=0.05)) as url:
        shop = workshop(database, url, tmp_path)
        ad, *_ = await shop.stock()
        (first,) = await shop.request(ad)
        parent = await shop.make(first)
        wanted = VariantRequest(original_ad_id=ad, prompt="Winter", user_id=1, parent_id=first)
        async with database.session() as session:
            (second,) = await request_variants(session, requests=[wanted])
            await session.commit()
        child = await shop.make(second)
        uploaded = shop.bill
    assert (child.parent_id, child.status) == (first, VariantStatus.COMPLETED)
    assert child.original_path == parent.original_path
    async with database.session() as session:
        version = await session.scalar(
            text("SELECT content_hash FROM creative WHERE ad_creative_id = :ad"), {"ad": ad}
        )
    assert child.original_version == parent.original_version == version
    assert child.workflow
    assert uploaded["paid"] == 2


async def test_only_a_completed_variant_of_the_same_ad_with_a_picture_has_variants(
    database: Database,
) -> None:
    async with stocked(database) as session:
        pending = await ask(session)
        failed = await make(session, VariantStatus.FAILED)
        words = await finish(session, await ask(session), image_path=None)
        good = await finish(session, await ask(session))
        for ad, parent, reason in (
            (AD, 99, "there is no variant 99 of"),
            (OTHER, good.id, f"there is no variant {good.id} of"),
            (AD, pending.id, "is pending; take a completed one"),
            (AD, failed.id, "is failed; take a completed one"),
            (AD, words.id, "has no picture to begin with"),
        ):
            wanted = VariantRequest(original_ad_id=ad, prompt="Red", parent_id=parent)
            with pytest.raises(InvalidQueryError, match=reason):
                await request_variants(session, requests=[wanted])
        wanted = VariantRequest(original_ad_id=AD, prompt="Red", parent_id=good.id)
        assert len(await request_variants(session, requests=[wanted])) == 1


async def test_workflow_and_seed_are_shown_where_the_service_says_them(database: Database) -> None:
    async with stocked(database) as session:
        made = await finish(
            session, await ask(session), response_metadata={"workflow_id": "w-1", "seed": 7}
        )
    assert (made.workflow, made.seed) == ("w-1", "7")
    assert made.parent_id is None
