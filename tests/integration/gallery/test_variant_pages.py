"""The pages of variants: the list, one beside its original, its review, and its files."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.errors import GenerationFailedError
from adspark.models import AdVariant, Role, VariantStatus
from adspark.rules.store import save_rules
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from adspark.variants.reviews.store import Review, list_reviews, save_review
from tests.support.checked import BROKEN
from tests.support.gallery import PASSWORD, GalleryClient, keep_variant_picture, open_gallery
from tests.support.library import ad, fill_library
from tests.support.variants_at_hand import READ_WORDS, ask, begin, fail, finish, make, read

pytestmark = pytest.mark.usefixtures("prefect_away")

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


async def completed(database: Database, number: int = 1, **words: Any) -> AdVariant:  # noqa: ANN401
    """A completed variant of an ad; words of `ask` and of what it came to."""
    asked = {name: words.pop(name) for name in ("prompt", "user_id") if name in words}
    wants = words.pop("wants_review", True)
    async with database.session() as session:
        made = await ask(session, ad(number), wants_review=wants, **asked)
        made = await finish(session, made, **words)
        await session.commit()
    return made


async def reviewed(database: Database, variant: AdVariant) -> list[tuple[Any, ...]]:
    async with database.session() as session:
        found = await list_reviews(session, variant_id=variant.id)
    return [(one.user_id, one.is_approved, one.rating, one.comment) for one in found]


def seen_at(page: str) -> str:
    found = re.search(r'name="seen_at" value="(.*?)"', page)
    assert found
    return found[1]


async def test_the_list_says_what_to_do_where_there_are_none(pages: GalleryClient) -> None:
    answer = await pages.get("/variants")

    assert answer.status_code == 200
    assert "There is no variant yet." in answer.text
    assert 'href="/variants/new"' in answer.text


async def test_the_list_is_filtered_by_its_address_and_has_figures_on_top(
    pages: GalleryClient, database: Database
) -> None:
    waiting = await completed(database, title="First")
    other = await completed(database, title="Second", user_id=2, wants_review=False)
    async with database.session() as session:
        await add_user(session, name="Zoë", user_id=2)
        await fail(session, await begin(session, await ask(session, ad(2))), TimeoutError("slow"))
        await save_review(session, variant=other, review=Review(user_id=1, is_approved=True))
        await session.commit()

    async def shown(query: str) -> set[int]:
        page = (await pages.get(f"/variants?{query}")).text
        return set(map(int, re.findall(r'data-fresh="variant-(\d+)"', page)))

    assert await shown("") == {waiting.id, other.id, other.id + 1}
    assert await shown("status=waiting") == {waiting.id}
    assert await shown("status=failed&user=") == {other.id + 1}
    assert await shown("status=approved") == {other.id}
    assert await shown("status=rejected") == set()
    assert await shown("user=2") == {other.id}
    assert await shown(f"after={other.id}") == {waiting.id}
    page = (await pages.get("/variants")).text
    assert "<strong>100%</strong>" in page
    assert "1 review waits." in page
    assert f'href="/variants/{waiting.id}" data-key="n"' in page
    assert 'class="tag approved">Approved' in page
    assert "Zoë (user 2)" in page
    assert "1 × TimeoutError: slow" in page


async def test_a_long_prompt_without_blanks_is_listed_with_its_beginning(
    pages: GalleryClient, database: Database
) -> None:
    japanese = "春の新作" * 50
    await completed(database, prompt=f"夏版 {japanese}", title=f"A&B {'春' * 100}")
    page = (await pages.get("/variants")).text
    assert f">夏版 {japanese[:136]}…<" in page
    assert f"A&amp;B {'春' * 75}…<" in page


async def test_pictures_are_shown_small_where_they_are_listed(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    made = await completed(database, image_path=await keep_variant_picture(tmp_path / "media"))
    for address in ("/variants", f"/ads/{ad(1)}"):
        page = (await pages.get(address)).text
        assert f'src="/media/{made.thumbnail_path}"' in page
        assert f'src="/media/{made.image_path}"' not in page
    assert f'src="/media/{made.image_path}"' in (await pages.get(f"/variants/{made.id}")).text


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=lost", "status"), ("user=x", "user"), ("user=0", "user"), ("after=x", "after")],
)
async def test_a_nonsense_filter_is_said_beside_its_field(
    pages: GalleryClient, query: str, field: str
) -> None:
    answer = await pages.get(f"/variants?{query}")

    assert answer.status_code == 422
    assert f'id="problem-{field}"' in answer.text


async def test_what_is_being_made_is_told_step_by_step(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        made = await ask(session, ad(1))
        await session.commit()
        path = f"/variants/{made.id}"
        first = (await pages.get(f"{path}/progress")).json()
        assert first == {"state": "pending", "is_open": True}
        assert 'data-state="pending"' in (await pages.get(path)).text
        assert 'http-equiv="refresh"' in (await pages.get(path)).text
        await begin(session, made)
        await session.commit()
        assert (await pages.get("/variants/progress")).json() == {
            "state": "rendering:1",
            "is_open": True,
        }
        assert "1 variant is being made: 1 rendering the original" in re.sub(
            r"\s+", " ", (await pages.get("/variants?user=1")).text
        )
        await finish(session, made)
        await session.commit()
    done = {"state": "completed", "is_open": False}
    assert (await pages.get(f"{path}/progress")).json() == done
    assert "data-live" not in (await pages.get(path)).text


async def test_the_words_that_differ_are_marked(pages: GalleryClient, database: Database) -> None:
    made = await completed(
        database, description="Running boots\nLight Men/Women trainers for <b>snow</b>"
    )

    page = (await pages.get(f"/variants/{made.id}")).text

    assert "<del>shoes</del>" in page
    assert "<ins>boots</ins>" in page
    assert "<ins>&lt;b&gt;snow&lt;/b&gt;</ins>" in page
    assert f'href="/ads/{ad(1)}"' in page
    assert "Copy of the original" in page
    assert "Copy: <strong>not known" not in page


async def test_words_read_after_a_variant_was_made_are_shown_and_do_not_judge_it(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await session.execute(
            READ_WORDS, {"ad": ad(3), "lines": ["Shop", "Gear for all", "brand.example"]}
        )
        await session.commit()
    made = await completed(
        database, 3, description="Shop Gear for all brand.example now", text_similarity=None
    )

    page = (await pages.get(f"/variants/{made.id}")).text

    assert "Words read from the original" in page
    assert "<del>" not in page
    assert re.findall("<ins>.*?</ins>", page) == ["<ins>now</ins>"]
    assert "Copy: <strong>not compared, for the original&#39;s words were not known yet" in page
    listed = (await pages.get(f"/api/v1/variants/{made.id}")).json()["variant"]
    assert (listed["text_similarity"], listed["is_too_close"]) == (None, False)


async def test_what_comes_from_outside_is_text_on_the_pages(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(
        database, prompt=HOSTILE, title=HOSTILE, description=HOSTILE, problem=HOSTILE
    )
    async with database.session() as session:
        comment = Review(user_id=2, comment=HOSTILE.rstrip("\u202e"))
        await save_review(session, variant=made, review=comment)
        broken = await begin(session, await ask(session, ad(2)))
        broken = await fail(session, broken, GenerationFailedError(HOSTILE))
        await session.commit()

    for path in (f"/variants/{made.id}", f"/variants/{broken.id}", "/variants"):
        page = (await pages.get(path)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page
        assert "\x1b" not in page
        assert "\u202e" not in page


async def test_a_review_is_saved_and_leads_to_the_next_that_waits(
    pages: GalleryClient, database: Database
) -> None:
    made, other = await completed(database), await completed(database, 2)
    path = f"/variants/{made.id}"

    answer = await pages.send_form(
        f"{path}/review",
        path,
        decision="approve",
        rating="4",
        reason=["fits_brand"],
        comment="Good & <b>bold</b>",
        seen_at="",
    )

    assert answer.status_code == 200
    assert "Your approval is saved." in answer.text
    assert f'href="/variants/{other.id}" data-key="n"' in answer.text
    assert "Good &amp; &lt;b&gt;bold&lt;/b&gt;" in answer.text
    assert await reviewed(database, made) == [(1, True, 4, "Good & <b>bold</b>")]
    async with database.session() as session:
        (kept,) = await list_reviews(session, variant_id=made.id)
    assert kept.reasons == ["fits_brand"]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "decision", "approve or reject it"),
        ({"decision": "", "comment": "\u200b"}, "decision", "approve or reject it"),
        ({"decision": "nonsense", "rating": "4"}, "decision", "nonsense&#39; is none; approve or"),
        ({"decision": "reject", "reason": ["fits_brand", "nonsense"]}, "reason", "is not one of"),
        ({"decision": "approve"}, "accepts_closeness", "too close to its original"),
        ({"decision": "reject", "rating": "6"}, "rating", "1 to 5"),
        ({"decision": "reject", "comment": "x" * 5001}, "comment", "shorten it to 5000"),
    ],
)
async def test_a_review_that_is_refused_keeps_what_was_typed(
    pages: GalleryClient,
    database: Database,
    fields: dict[str, Any],
    field: str,
    words: str,
) -> None:
    made = await completed(database, is_too_close=True, picture_similarity=0.97)
    path = f"/variants/{made.id}"
    sent: dict[str, Any] = {"comment": "kept <as typed>", "seen_at": ""} | fields
    if not fields:
        sent |= {"comment": ""}

    answer = await pages.send_form(f"{path}/review", path, **sent)

    assert answer.status_code == 422
    said = re.search(rf'id="problem-{field}">(.*?)</span>', answer.text)
    assert said
    assert words in said[1]
    assert sent["comment"].replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert await reviewed(database, made) == []


async def test_who_knows_that_it_is_too_close_may_approve_it(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database, is_too_close=True, picture_similarity=0.97)
    path = f"/variants/{made.id}"
    assert "like the original's by 90% or more" in (await pages.get(path)).text.replace(
        "&#39;", "'"
    )

    answer = await pages.send_form(
        f"{path}/review", path, decision="approve", accepts_closeness="on", seen_at=""
    )

    assert "Your approval is saved." in answer.text
    assert await reviewed(database, made) == [(1, True, None, "")]


async def test_a_variant_that_breaks_rules_is_approved_with_a_reason_that_is_kept(
    pages: GalleryClient, database: Database
) -> None:
    stored = BROKEN.model_copy(update={"verdicts": BROKEN.verdicts[::-1]})
    made = await completed(database, rule_check=stored)
    path = f"/variants/{made.id}"
    page = (await pages.get(path)).text
    assert page.index("Banned words (copy)") < page.index("Language (copy)")  # failed ones first
    assert re.search(r"Banned words \(copy\)</span><strong class=\"bad\">Failed", page)
    assert re.search(r"Banned words \(picture\)</span><strong>Not checked", page)
    assert re.search(r"Language \(copy\)</span><strong class=\"good\">Passed", page)
    assert "in “get it free | &lt;b&gt;”" in page
    assert (await pages.get("/variants")).text.count("Breaks rules") == 1
    assert 'Workspace, version 3</a>, <a href="/rules/2">User 1, version 1</a>' in page

    for reason in ("", "  "):
        sent = {"decision": "approve", "overrule_reason": reason, "seen_at": ""}
        answer = await pages.send_form(f"{path}/review", path, **sent)
        assert answer.status_code == 422
        assert re.search('id="problem-overrule_reason">It breaks brand rules; say', answer.text)
    assert await reviewed(database, made) == []

    sent = {"decision": "approve", "overrule_reason": "Agreed <b>", "seen_at": ""}
    answer = await pages.send_form(f"{path}/review", path, **sent)
    assert "Your approval is saved." in answer.text
    assert 'Overruled the brand rules:</p><p class="copy">Agreed &lt;b&gt;</p>' in answer.text
    assert await reviewed(database, made) == [(1, True, None, "")]


async def test_the_rules_in_force_are_shown_with_their_versions(
    pages: GalleryClient, database: Database
) -> None:
    assert "There are no brand rules." in (await pages.get("/rules")).text
    async with database.session() as session:
        for written, user_id in (
            ("banned_words: [free]", None),
            ('banned_words: ["<script>alert(1)</script>"]', None),
            ("languages: [en]", 1),
            ("tone_words: [secret]", 2),
        ):
            await save_rules(session, written=written, user_id=user_id)
        await session.commit()

    page = (await pages.get("/rules")).text
    first = (await pages.get("/rules/1")).text
    none = await pages.get("/rules/99")

    assert "[&#34;&lt;script&gt;alert(1)" in page
    assert "languages: [en]" in page
    assert "banned_words: [free]" not in page  # it was replaced
    assert "secret" not in page  # another user's
    assert re.findall(r'href="/rules/(\d)"', page) == ["3", "2", "1"]
    assert "banned_words: [free]" in first
    assert none.status_code == 404
    assert "There is no such version of brand rules." in none.text


async def test_each_of_two_people_has_an_opinion_and_sees_the_other(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database)
    path = f"/variants/{made.id}"
    await pages.send_form(f"{path}/review", path, decision="approve", comment="yes", seen_at="")
    pages.cookies.set("adspark_user", "2")
    await pages.send_form(f"{path}/review", path, decision="reject", comment="no", seen_at="")

    page = (await pages.get(path)).text

    assert "Reviews of others" in page
    assert page.index("yes") > page.index("User 1")
    assert await reviewed(database, made) == [(1, True, None, "yes"), (2, False, None, "no")]


async def test_a_review_without_a_decision_says_what_was_decided(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database)
    path = f"/variants/{made.id}"
    said = []
    for decision in ("", "approve", "", "reject", ""):
        stored = re.search(r'name="seen_at" value="(.*?)"', (await pages.get(path)).text)
        assert stored
        sent = {"decision": decision, "rating": "3", "seen_at": stored[1]}
        done = await pages.send_form(f"{path}/review", path, **sent)
        said += re.findall(r"Your review is saved; .*?\.", done.text)

    assert said == [
        "Your review is saved; the variant is not decided yet.",
        "Your review is saved; the variant is approved.",
        "Your review is saved; the variant is rejected.",
    ]


async def test_a_window_that_is_out_of_date_shows_what_was_done_in_another(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database)
    path = f"/variants/{made.id}"
    await pages.send_form(f"{path}/review", path, decision="approve", seen_at="")

    late = await pages.send_form(
        f"{path}/review", path, decision="reject", comment="typed late", seen_at=""
    )

    assert late.status_code == 422
    assert "changed in another window" in late.text
    assert "typed late" in late.text
    assert (await reviewed(database, made))[0][1] is True
    again = await pages.send_form(
        f"{path}/review", path, decision="reject", seen_at=seen_at(late.text)
    )
    assert "Your rejection is saved." in again.text
    twice = await pages.send_form(
        f"{path}/review", path, decision="reject", seen_at=seen_at(late.text)
    )
    assert "Your rejection is saved." in twice.text
    assert (await reviewed(database, made))[0][1] is False


async def test_a_variant_that_was_removed_meanwhile_is_a_page_that_says_so(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database)
    token = (await pages.get(f"/variants/{made.id}")).text
    async with database.session() as session:
        await session.execute(text("DELETE FROM ad_variant"))
        await session.commit()

    answers = [
        await pages.get(f"/variants/{made.id}"),
        await pages.get("/variants/99999999999999999999"),
        await pages.get(f"/variants/{made.id}/picture"),
        await pages.send_form(f"/variants/{made.id}/review", "/variants/new", decision="approve"),
    ]

    assert token
    for answer in answers:
        assert answer.status_code == 404
        assert "There is no such variant." in answer.text
    progress = await pages.get(f"/variants/{made.id}/progress")
    assert progress.json() == {"state": "removed", "is_open": False}


async def test_a_form_of_another_browser_changes_nothing(
    pages: GalleryClient, database: Database
) -> None:
    made = await completed(database)
    fields = {"decision": "approve", "form_token": "0" * 64}

    answer = await pages.post(f"/variants/{made.id}/review", data=fields)

    assert answer.status_code == 403
    assert await reviewed(database, made) == []


async def test_picture_and_copy_are_downloaded_under_safe_names_with_their_types(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    path = await keep_variant_picture(tmp_path / "media")
    made = await completed(database, image_path=path, description="Été\nsoleil", title="../../x")
    lost = await completed(database, 2, description=None)

    picture = await pages.get(f"/variants/{made.id}/picture")
    copy = await pages.get(f"/variants/{made.id}/copy")

    assert picture.headers["content-type"] == "image/png"
    name = f'attachment; filename="variant-{made.id}.png"'
    assert picture.headers["content-disposition"] == name
    assert hashlib.sha256(picture.content).hexdigest() in path
    assert copy.headers["content-type"] == "text/plain; charset=utf-8"
    assert copy.headers["content-disposition"].endswith(f'filename="variant-{made.id}.txt"')
    assert copy.text == "Été\nsoleil\n"
    for what, said in (("picture", "The media store has lost this picture."),
                       ("copy", "This variant has no copy.")):  # fmt: skip
        answer = await pages.get(f"/variants/{lost.id}/{what}")
        assert (answer.status_code, said in answer.text) == (404, True)
    page = (await pages.get(f"/variants/{lost.id}")).text
    assert "The media store has lost this picture. Restore it from a backup of the store" in page
    assert f"/variants/{lost.id}/picture" not in page
    assert f'href="/media/{lost.image_path}"' not in page


async def test_a_failed_variant_says_what_trying_again_costs_and_is_tried_once(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        made = await begin(session, await ask(session, ad(1)))
        made = await fail(session, made, GenerationFailedError("Dify's node failed."))
        await session.commit()
    path = f"/variants/{made.id}"
    page = (await pages.get(path)).text
    assert "Dify&#39;s node failed." in page
    assert "a new generation, which is paid for" in page

    first = await pages.send_form(f"{path}/retry", path, attempt="1")
    second = await pages.send_form(f"{path}/retry", path, attempt="1")

    assert "Prefect does not answer: it begins by itself" in first.text
    assert "Nothing was done: it has moved on meanwhile" in second.text
    async with database.session() as session:
        now = await read(session, made)
    assert (now.status, now.attempt) == (VariantStatus.PENDING, 2)


async def test_cancelling_does_without_prefect(pages: GalleryClient, database: Database) -> None:
    async with database.session() as session:
        made = await make(session, VariantStatus.PENDING, ad=ad(1))
        await session.commit()
    path = f"/variants/{made.id}"

    answer = await pages.send_form(f"{path}/cancel", path)

    assert "It is cancelled." in answer.text
    async with database.session() as session:
        assert (await read(session, made)).status is VariantStatus.CANCELLED


async def test_a_reader_is_told_before_a_button_that_they_may_not(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    made = await completed(database)
    async with database.session() as session:
        broken = await make(session, VariantStatus.FAILED, ad=ad(2))
        number = await add_user(session, name="Bob")
        await save_password(session, user_id=number, password=PASSWORD, role=Role.READER)
        await session.commit()
    async with open_gallery(database_url, tmp_path / "media", needs_sign_in=True) as pages:
        fields = {"name": "Bob", "password": PASSWORD, "back": "/library"}
        await pages.send_form("/sign-in", page="/sign-in", **fields)
        review = (await pages.get(f"/variants/{made.id}")).text
        assert "You may look, and not review." in review
        assert review.count(" disabled>") == 3
        for path in ("/variants/new", f"/variants/{broken.id}"):
            page = (await pages.get(path)).text
            assert "You may look, and not start what is paid for." in page
            assert " disabled>" in page
        for path in (
            "/variants/new",
            f"/variants/{broken.id}/retry",
            f"/variants/{made.id}/review",
        ):
            answer = await pages.send_form(path, "/variants/new", decision="approve")
            assert answer.status_code == 403
    assert await reviewed(database, made) == []
