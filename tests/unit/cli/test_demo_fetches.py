"""What a demo that is kept fetches: every recorded ad, with as many pages as that takes."""

from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.query import Query
from adspark.validation.bounds import PAGE_SIZE
from deployments.cli.demo.steps import NEW_BALANCE, ON, all_others


def test_a_demo_that_is_kept_shows_all_recorded_ads_in_the_gallery() -> None:
    recorded, others = RecordedCatalogue(), all_others()
    ids, pages = others["advertiser_ids"], others["max_pages"]
    assert isinstance(ids, list)
    assert isinstance(pages, int)
    found = len(recorded.select(Query(advertiser_ids=tuple(map(str, ids)))))
    assert found <= pages * PAGE_SIZE.most
    assert found + len(recorded.select(Query(advertiser_ids=(NEW_BALANCE, ON)))) == 320
