"""Text of others is marked, whatever it says; ours is what the lists name."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from adspark.insight.figures import LongestRow, PeriodRow, RegionRow, ShareRow
from adspark.library.ads.report import AdReport
from adspark.library.advertisers.listing import AdvertiserPage
from adspark.library.advertisers.stored import AdvertiserReport
from adspark.library.search.page import AdPage, FoundAd
from adspark.text.terminal import plain
from adspark.variants.reviews.store import VariantStatistics
from adspark.watches.budgets import BudgetReport
from deployments.gallery.api.variants import ReviewedVariant, VariantPage
from deployments.mcp.foreign import LEFT_OUT, MARK, OWN_TEXTS, mark_foreign
from deployments.mcp.tools.acts import Spending
from deployments.mcp.tools.watches import NewsFound, WatchesFound

SHAPES: tuple[type[BaseModel], ...] = (
    AdPage, AdReport, AdvertiserPage, AdvertiserReport, BudgetReport, LongestRow, NewsFound,
    PeriodRow, RegionRow, ReviewedVariant, ShareRow, Spending, VariantPage, VariantStatistics,
    WatchesFound,
)  # fmt: skip
"""What the tools find."""


def fields(model: type[BaseModel]) -> Iterator[str]:
    """The names of a model's fields, at any depth."""
    for name, field in model.model_fields.items():
        yield name
        for one in models_in(field.annotation):
            yield from fields(one)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from models_in(one)


def test_the_lists_name_nothing_that_no_answer_has() -> None:
    known = {name for shape in SHAPES for name in fields(shape)}
    assert known >= OWN_TEXTS | LEFT_OUT


@given(text=st.text(), name=st.sampled_from(["headline", "snippet", "advertiser", "domain"]))
def test_no_text_of_an_ad_leaves_its_mark(text: str, name: str) -> None:
    ad = dict.fromkeys(FoundAd.model_fields) | {name: text, "picture": text}
    marked = mark_foreign({"ads": [ad]})

    (shown,) = json.loads(json.dumps(marked))["ads"]
    told = shown.pop(name)
    assert list(told) == [MARK]
    assert told[MARK] == plain(text)[:5000]
    assert set(shown.values()) == {None}
    assert "picture" not in shown


def test_joined_characters_stay_and_what_hides_goes() -> None:
    headline = "می\u200cخ 👨\u200d👩\u200d👧 f\u200bre\u200de\u202e"
    (told,) = mark_foreign({"headline": headline})["headline"].values()
    assert told == "می\u200cخ 👨\u200d👩\u200d👧 free"


def test_a_text_without_an_end_is_cut() -> None:
    (cut,) = mark_foreign({"headline": "x" * 9000})["headline"].values()
    assert len(cut) == 5000
    assert cut.endswith("x…")
