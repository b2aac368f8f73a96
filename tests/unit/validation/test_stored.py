"""Ads and advertisers are meant by their ids, and by the addresses of their pages."""

import pytest

from adspark.errors import InvalidQueryError
from adspark.validation.stored import clean_ad_id, clean_advertiser_id, find_advertiser_id

AR, CR = "AR04323445746671026177", "CR06923374512490676225"
PAGE = f"adstransparency.google.com/advertiser/{AR}"


@pytest.mark.parametrize(
    ("written", "ad", "advertiser"),
    [
        (CR, CR, None),
        (f" {CR.lower()} ", CR, None),
        (AR.lower(), None, AR),
        (f"https://{PAGE}", None, AR),
        (f"https://{PAGE}?region=US&format=TEXT", None, AR),
        (f"https://{PAGE}/creative/{CR}", CR, AR),
        (f"{PAGE}/creative/{CR}/?region=anywhere#top", CR, AR),
        (f"https://{PAGE}9", None, None),
        (f"https://example.com/?at=/advertiser/{AR}", None, None),
        ("New Balance", None, None),
        ("", None, None),
    ],
)
def test_a_page_stands_for_what_it_shows(
    written: str, ad: str | None, advertiser: str | None
) -> None:
    assert clean_ad_id(written) == (ad or written)
    assert clean_advertiser_id(written) == (advertiser or written)
    assert find_advertiser_id("advertiser", written) == advertiser


@pytest.mark.parametrize("page", ["", "https://adstransparency.google.com/advertiser/"])
def test_an_advertisers_id_of_zeros_is_refused(page: str) -> None:
    with pytest.raises(InvalidQueryError, match=r"^advertiser: AR0+ has only zeros.*; take the id"):
        find_advertiser_id("advertiser", f"{page}AR{20 * '0'}")
