"""The recorded ads as watches of a test have stored them, with what nobody has looked at."""

import json
import time
from contextlib import suppress
from importlib import resources
from typing import Any

from adspark.creatives.fetch import fetch_query
from adspark.errors import AdSparkError
from adspark.library.ads.details import look_up_details, plan_details
from adspark.serpapi.client import SerpApiClient, no_gate
from tests.support.factories import ADVERTISER_ID, query
from tests.support.variants_at_hand import ask, finish
from tests.support.watching import KEY, Place

NEW_BALANCE = ADVERTISER_ID
ON = "AR01566006373894848513"
LULULEMON = "AR01614014350098432001"
PATAGONIA = "AR13494478831020408833"
ARCTERYX = "AR17137590075693989889"
SAVAGE = "AR03556834903704207361"
WITH_COPY = "CR12260659916586352641"
LAUNCHED = f"CR{77:020d}"
VARIANT_OF = "CR06923374512490676225"


def recorded(**fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The recorded rows with these values, as they lie in the file."""
    file = resources.files("adspark.sandbox").joinpath("data/creatives.jsonl")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if fields.items() <= row.items()]


async def fill_recorded(place: Place) -> None:
    """Watches, of which one has a launch, one fails, and at one nobody has looked; fetches by hand,
    details of an ad, and a variant that was approved.

    Args:
        place: with a sandbox that answers no search from its cache.
    """
    balance = await place.add(name="New Balance")
    for fields in (
        {"name": "On in the US", "advertiser_ids": [ON], "region": "2840"},
        {"name": "hubspot", "advertiser_ids": [], "text": "hubspot.com"},
    ):
        await place.check(await place.add(**fields))
    lululemon = await place.add(name="lululemon", advertiser_ids=[LULULEMON])
    await place.add(name="Patagonia", advertiser_ids=[PATAGONIA])
    for watch_id in (balance, lululemon):
        await place.check(watch_id)
    place.change_ads({"action": "add", "row": _launched()})
    await place.check(balance)
    place.switch_on({"kind": "unavailable_503"})
    with suppress(AdSparkError):
        await place.check(lululemon)
    place.switch_on()
    async with SerpApiClient(KEY, base_url=place.url) as client:
        for advertiser in (ARCTERYX, SAVAGE):
            await fetch_query(place.database, client, query(advertiser_ids=advertiser))
        async with place.database.session() as session:
            plan = await plan_details(session, ads=[WITH_COPY], most=1)
        await look_up_details(place.database, client, plan, before_search=no_gate)
    await place.change("UPDATE watch SET baseline_at = baseline_at - interval '30 days'")
    async with place.database.session() as session:
        variant = await finish(session, await ask(session, VARIANT_OF), image_path=None)
        await session.commit()
    await place.change(
        "INSERT INTO variant_feedback "
        "(variant_id, user_id, is_approved, decided_at, rating, comment) "
        f"VALUES ({variant.id}, 1, true, now(), 4, 'Well done')"
    )


def _launched() -> dict[str, Any]:
    """An ad of New Balance that was first shown just now."""
    now = int(time.time())
    (row,) = recorded(ad_creative_id=VARIANT_OF)
    moments = {"first_shown": now, "last_shown": now, "total_days_shown": 1}
    return {**row, "ad_creative_id": LAUNCHED, "width": 320, "height": 50, **moments}
