"""Addresses and cookies with thousands of parts: refused in a sentence, or read in one pass."""

import pytest
from starlette.datastructures import QueryParams

from tests.support.gallery import GalleryClient
from tests.support.library import ad

BROWSER = {"accept": "text/html"}
MOST = 3000  # parameters


def many(number: int) -> str:
    """The query of an address with so many parameters, each of another name."""
    return "&".join(f"{one:x}" for one in range(number))


@pytest.mark.parametrize("path", ["/health", "/library", "/api/v1/ads", "/watches/estimate"])
async def test_an_address_with_very_many_parameters_is_refused(
    closed: GalleryClient, path: str
) -> None:
    refused = await closed.get(f"{path}?{many(MOST + 1)}")

    assert refused.status_code == 414
    assert refused.json()["detail"] == (
        "The address has 3,001 parameters; 3,000 at most are read. Ask for less at once."
    )
    assert (await closed.get(f"{path}?{many(MOST)}")).status_code != 414


async def test_a_browser_is_told_in_plain_words(closed: GalleryClient) -> None:
    refused = await closed.get(f"/health?{many(MOST + 1)}", headers=BROWSER)

    assert refused.headers["content-type"] == "text/plain; charset=utf-8"
    assert refused.text.startswith("The address has 3,001 parameters")


async def test_the_longest_address_of_ads_for_variants_is_read(pages: GalleryClient) -> None:
    answer = await pages.get("/variants/new?" + "&".join(f"ad={ad(1)}" for _ in range(2500)))

    assert answer.status_code == 200, "each ad is named once"


@pytest.mark.parametrize("path", ["/health", "/watches/estimate"])
async def test_many_names_are_read_in_one_pass(
    pages: GalleryClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked = 0
    getlist = QueryParams.getlist

    def count(self: QueryParams, key: str) -> list[str]:
        nonlocal asked
        asked += 1
        return getlist(self, key)

    monkeypatch.setattr(QueryParams, "getlist", count)
    await pages.get(f"{path}?{many(1000)}")

    assert asked < 20, "each call looks at all parameters"


@pytest.mark.parametrize("path", ["/health", "/library", "/api/v1/ads"])
@pytest.mark.parametrize(
    "cookies",
    [
        pytest.param(["adspark_visit=" + "x" * 16_000], id="one that is large"),
        pytest.param(["a=" + "x" * 8000, "b=" + "x" * 8000], id="two in two headers"),
        pytest.param(['adspark_visit="' + "\\a" * 301 + '"'], id="escapes"),
    ],
)
async def test_large_cookies_are_refused_before_they_are_read(
    closed: GalleryClient, path: str, cookies: list[str]
) -> None:
    refused = await closed.get(path, headers=[("cookie", one) for one in cookies])

    assert refused.status_code == 431
    assert refused.json()["detail"] == (
        "The browser sends more cookies than are read; delete those of this host."
    )


async def test_ordinary_cookies_of_other_servers_pass(pages: GalleryClient) -> None:
    cookie = "other=" + "x" * 4000 + '; quoted="a\\054b"'
    assert (await pages.get("/library", headers={"cookie": cookie})).status_code == 200
