"""A share is said with its cases and an interval, which is Wilson's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adspark.variants.reviews.share import Share


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high", "sentence"),
    [
        (0, 0, 0.0, 1.0, "no cases"),
        (0, 10, 0.0, 0.2775, "0 of 10: 0% (0% to 28%)"),
        (1, 1, 0.2065, 1.0, "1 of 1: 100% (21% to 100%)"),
        (81, 263, 0.2553, 0.3662, "81 of 263: 31% (26% to 37%)"),
    ],
)
def test_the_interval_is_that_of_the_tables(
    hits: int, cases: int, low: float, high: float, sentence: str
) -> None:
    share = Share.of(hits, cases)
    assert (share.low, share.high) == pytest.approx((low, high), abs=1e-4)
    assert share.sentence == sentence


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_within_its_interval_and_that_within_0_and_1(case: tuple[int, int]) -> None:
    hits, cases = case
    share = Share.of(hits, cases)
    assert 0 <= share.low <= hits / cases + 1e-9
    assert hits / cases - 1e-9 <= share.high <= 1
