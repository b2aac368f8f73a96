"""`adspark ads` and `adspark advertisers`: what a person types finds, shows and annotates ads."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.search.statements import MOST_COUNTED
from deployments.cli import main as cli
from tests.support.commanding import Command
from tests.support.factories import ADVERTISER_ID
from tests.support.library import CAFE, ad, add_texts, fill_library
from tests.support.variants_at_hand import in_session

ads, advertisers = Command("ads"), Command("advertisers")
KEPT = f"pictures/ab/{'ab' * 32}.png"


@pytest.fixture(autouse=True)
def _library(configured_database: str) -> None:
    """Five ads, whose words are known in part."""

    async def fill() -> None:
        async with Database(configured_database) as database:
            await fill_library(database)

    asyncio.run(fill())


def found(*arguments: str) -> list[str]:
    """The ids of the ads that a search lists."""
    return [one["ad_creative_id"] for one in ads.given("search", *arguments)["ads"]]


def test_a_search_lists_ads_with_their_words_within_eighty_columns() -> None:
    shown = ads.run("search", "running")
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= 80
    line = " ".join(shown.stdout.split())
    assert f"{ad(1)} New Balance…" in line
    assert "Running shoes –" in line
    assert line.endswith("2 ads (2 text).")


def test_pages_follow_each_other() -> None:
    assert "5 ads, 2 shown (3 text, 1 image, 1 video)." in ads.told("search", "--limit", "2")
    first = ads.given("search", "--limit", "2")
    second = found("--limit", "3", "--after", first["next"])
    assert len({*second, *(one["ad_creative_id"] for one in first["ads"])}) == 5


def test_a_total_that_is_not_exact_is_told_as_such_without_formats(
    configured_database: str,
) -> None:
    in_session(configured_database, lambda session: add_texts(session, MOST_COUNTED))
    assert "500 ads or more, 2 shown." in ads.told("search", "--limit", "2")
    page = ads.given("search", "--limit", "2")
    assert (page["total"], page["is_total_exact"], page["formats"]) == (500, False, {})


def test_words_and_filters_as_they_are_typed() -> None:
    assert found("half price") == [ad(2)]
    assert found('"running shoes"') == [ad(1)]
    assert found("running -shoes") == [ad(2)]
    assert ads.run("search", "--", "-running", "balance").stdout.count("CR0") == 1
    assert found("--advertiser", "cafe zoe") == [ad(4)]
    assert found("--advertiser", CAFE, "--format", "image", "--region", "Germany") == [ad(4)]
    assert found("--size", "1920x1080", "--aspect", "16:9") == [ad(5)]
    assert found("--first-from", "2026-05-29", "--first-to", "2026-05-29") == [ad(2)]
    assert found("--domain", "https://www.newbalance.com/x", "--ended", "--words") == [ad(1)]
    assert found("--running") == []
    assert len(found("--first-to", "9999-12-31", "--last-to", "9999-12-31")) == 4  # one has no days


def test_an_ad_is_meant_by_its_id_in_lower_case_or_its_address() -> None:
    page = f"https://adstransparency.google.com/advertiser/{ADVERTISER_ID}/creative/{ad(1)}"
    for written in (f" {ad(1).lower()} ", page, f"{page}?region=US"):
        assert ads.given("show", written)["ad_creative_id"] == ad(1)
    assert ads.told("tag", "best", page) == "Tagged best: 1 ad."


def test_a_misspelled_search_says_what_was_searched_and_nothing_says_so() -> None:
    said = ads.told("search", "runing", "trainrs")
    assert said.startswith(
        "Nothing has the words as written; these were searched: running trainers"
    )
    assert ads.told("search", "qqqqqqqq").startswith("No stored ad matches; what is stored:")


def test_all_about_an_ad_is_shown(database_url: str) -> None:
    async def act(session: AsyncSession) -> None:
        for statement in (
            "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
            "VALUES (1, 'shoe [w]', 'a.example', false, true)",
            f"INSERT INTO watch_creative (watch_id, ad_creative_id) VALUES (1, '{ad(1)}')",
            "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
            f"VALUES (1, '{ad(1)}', 'changed', '')",
            f"INSERT INTO creative_region (ad_creative_id, region) VALUES ('{ad(1)}', '2250')",
            f"INSERT INTO ad_variant (original_ad_id, user_id, prompt, status) "
            f"VALUES ('{ad(1)}', 1, 'p', 'pending')",
            "INSERT INTO picture_version (ad_creative_id, content_hash, status, path, "
            f"thumbnail_path, width, height) SELECT ad_creative_id, content_hash, 'stored', "
            f"'{KEPT}', 'thumbnails/x', 30, 30 FROM creative WHERE ad_creative_id = '{ad(1)}'",
            "INSERT INTO picture_version (ad_creative_id, content_hash, status, failure) "
            f"VALUES ('{ad(1)}', 'earlier', 'failed', '404 [x]')",
        ):
            await session.execute(text(statement))

    in_session(database_url, act)
    ads.told("tag", "best [b]", ad(1))
    ads.told("title", ad(1), "My \x1b[2Jfavourite".replace("\x1b", ""))
    ads.told("note", ad(1), "line one\nline two")
    shown = ads.run("show", ad(1)).stdout
    said = " ".join(shown.split())
    for part in (
        f"{ad(1)} – My [2Jfavourite", f"New Balance Athletic Shoe, Inc. ({ADVERTISER_ID})",
        "text, 380 × 199", "2026-05-28 to 2026-06-06", "bought for a search on",
        "headline Running shoes", "leads to https://www.newbalance.com/trail-running?id=1",
        "1 billed, 0 from SerpApi's cache", "regions France", "platforms SEARCH (searched)",
        "tags best [b]", "note line one line two", "changed shoe [w]", "pending",
        "kept /", f"{KEPT} (seen since ", "30 × 30)",
        "before not kept, it was given up: 404 [x] (seen since ",
    ):  # fmt: skip
        assert part in said, part
    assert "words not read yet, for its picture is not fetched yet (copy: not bought)" in ads.told(
        "show", ad(3)
    )
    document = ads.given("show", ad(1))
    assert document["details"]["headline"] == "Running shoes"
    assert [one["kind"] for one in document["events"]] == ["changed"]
    assert document["tags"] == ["best [b]"]


def test_tags_titles_and_notes_are_written_and_taken_away() -> None:
    assert ads.told("tag").startswith("User 1 sees no tag; make one")
    assert ads.told("tag", "best", ad(1), ad(2)) == "Tagged best: 2 ads."
    assert ads.told("tag", "best", ad(2)) == f"Tagged best: 0 ads. Had it already: {ad(2)}"
    assert found("--tag", "best", "--sort", "newest") == [ad(2), ad(1)]
    assert "did you mean 'best'?" in str(ads.run("search", "--tag", "bst").exception)
    assert ads.told("tag", "best", ad(2), "--remove") == "Removed the tag from 1 ad."
    (tag,) = ads.given("tag")["tags"]
    assert (tag["tag"], tag["ads"], tag["is_own"], tag["is_shared"]) == ("best", 1, True, False)
    assert ads.told("title", ad(1), "Mine") == f"Wrote the title of {ad(1)}."
    assert ads.given("search", "shoes")["ads"][0]["title"] == "Mine"
    assert ads.told("title", ad(1), "--remove") == f"Removed the title of {ad(1)}."
    assert ads.given("search", "shoes")["ads"][0]["title"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "--first-from", "31.8.26"), "first-from: '31.8.26' is not a day; write it as "
                                                "2026-08-31."),
        (("search", "--size", "big"), "size: 'big' is not a size; write width and height as "
                                      "300x250."),
        (("search", "--size", "0x250"), "size: '0x250' has no area; write width and height from 1"),
        (("search", "--first-from", "9999-12-31", "--first-to", "0001-01-01"),
         "first-to: 0001-01-01 lies before first-from 9999-12-31; swap them."),
        (("search", "--last-from", "2026-08-02", "--last-to", "2026-08-01"),
         "last-to: 2026-08-01 lies before last-from 2026-08-02; swap them."),
        (("search", "--aspect", "0:1"), "aspect: '0:1' is not one of landscape, portrait, square, "
                                        "or a ratio as 16:9."),
        (("search", "--domain", "shoes"), "domain: 'shoes' is not a domain; write it as "
                                          "example.com."),
        (("search", "--region", "Atlantis"), "region: 'Atlantis' is not a region."),
        (("search", "--board", "b"), "board: user 1 has no board 'b'; make it with: adspark board"),
        (("search", "--watch", "w"), "watch: There is no watch 'w'; list them with"),
        (("search", "--tag", "nosuch"), "tag: user 1 sees no tag 'nosuch'; those there are"),
        (("search", "--tag", "nosuch", "--user", "2"), "tag: user 2 sees no tag 'nosuch'; those "
                                                       "there are: adspark ads tag --user 2"),
        (("tag", "best", "--user", "2"), "ads: name the ads: adspark ads tag 'best' CR… --user 2"),
        (("tag", "ghost", "--shared"), "tag: you have no tag 'ghost'; those there are: adspark ads "
                                       "tag"),
        (("tag", "ghost", "--own", "--user", "2"), "tag: you have no tag 'ghost'; those there are: "
                                                   "adspark ads tag --user 2"),
        (("tag", "ghost", "--own"), "tag: you have no tag 'ghost'"),
        (("tag", "--remove"), "tag: name the tag that --remove is for: adspark ads tag TAG CR… "
                              "--remove"),
        (("tag", "--shared", "--user", "2"), "tag: name the tag that --shared is for: adspark ads "
                                             "tag TAG CR… --shared --user 2"),
        (("tag", "--own", "--json"), "tag: name the tag that --own is for: "),
        (("search", "--tag", ""), "tag: is empty; name the tag."),
        (("search", "--advertiser", "New Balence"), "advertiser: none of 'New Balence' is stored; "
                                                    "did you mean 'New Balance Athletic Shoe"),
        (("search", "--sort", "relevance"), "sort: relevance takes words to search; choose "
                                            "newest."),
        (("search", "--after", "x"), "after: There is no such place in the list sorted by "
                                     "newest; begin with its first page, or take `next` of"),
        (("show", "CR9"), "ad: no ad CR9 is stored; an ad id is CR and 20 digits"),
        (("tag", "best"), "ads: name the ads: adspark ads tag 'best' CR…"),
        (("tag", "best", ad(9)), f"ads: no ad {ad(9)} is stored; fetch its advertiser's ads first"),
        (("note", ad(1)), "note: is empty; write it, or take it away with --remove."),
        (("note", ad(1), "\u200b"), "note: is empty; write it, or take it away with --remove."),
        (("title", ad(1), "\u3164\u2800"), "title: is empty; write it, or take it away with"),
        (("title", ad(1), "a\u202eb"), "title: holds invisible characters"),
        (("title", "Mine", ad(1)), f"ad: 'Mine' is not an ad, but {ad(1)} is; write it first."),
        (("note", "Look here", ad(1)), f"ad: 'Look here' is not an ad, but {ad(1)} is; write"),
        (("tag", ad(1), "best"), f"tag: {ad(1)} is an ad, and 'best' is none; write the tag first"),
        (("tag", "t", ad(1), "--own", "--remove"), "--own: contradicts --remove; give one of"),
        (("title", ad(1), "a", "--remove"), "title: contradicts --remove; give one of them."),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_mistake_is_told_in_a_line(arguments: tuple[str, ...], message: str) -> None:
    result = ads.run(*arguments)
    assert str(result.exception).startswith(message)
    assert result.stdout == ""


def test_an_error_ends_with_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["adspark", "ads", "search", "--size", "x"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_advertisers_are_found_by_name_or_domain_also_misspelled() -> None:
    def ids(name: str) -> list[str]:
        return [row["advertiser_id"] for row in advertisers.given("find", name)["advertisers"]]

    for name in ("café zoë", "CAFE", "zoe", CAFE.lower(), "zoe.example.com", "caffe zoe",
                 "https://www.zoe.example.com/page"):  # fmt: skip
        assert (name, ids(name)) == (name, [CAFE])
    assert "these are spelled like it: Advertisers" in advertisers.told("find", "New Balence")
    assert advertisers.told("find", "qqqqqq").startswith("None is stored; find who advertises")


def test_advertisers_are_listed_shown_and_compared() -> None:
    listed = advertisers.given("list")["advertisers"]
    assert (listed[0]["name"], listed[0]["ads"]) == ("New Balance Athletic Shoe, Inc.", 3)
    shown = advertisers.told("show", "new balance")
    for part in (
        "ads 3",
        "formats 3 text",
        "words known 2",
        "median days shown 20",
        "most days shown 30",
    ):
        assert part in shown
    assert advertisers.given("show", "zoe")["domains"] == ["zoe.example.com"]
    compared = advertisers.run("compare", "new balance", "zoe", "laufladen")
    assert max(map(len, compared.stdout.splitlines())) <= 80
    line = " ".join(compared.stdout.split())
    assert "1. New Balance… 2. Café Zoë 3. Laufladen GmbH" in line
    assert "formats 3 text 1 image 1 video" in line
    with pytest.raises(
        InvalidQueryError, match="names: 1 advertiser cannot be compared; name two to"
    ):
        advertisers.told("compare", "zoe")
    with pytest.raises(
        InvalidQueryError, match=f"names: '{CAFE}' is {CAFE}, which is named already; name others"
    ):
        advertisers.told("compare", "zoe", CAFE)
    with pytest.raises(InvalidQueryError, match="advertiser: none of 'nobody'"):
        advertisers.told("show", "nobody")


def test_prefect_is_not_needed() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from deployments.cli.main import app\n"
        "for call in (['ads', 'search', 'shoes'], ['ads', 'tag'], ['advertisers', 'list']):\n"
        "    CliRunner().invoke(app, call, catch_exceptions=False)\n"
        "sys.exit('prefect' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[3], check=False
    )
    assert done.returncode == 0
