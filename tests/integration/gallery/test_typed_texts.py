"""What was typed is not lost where the thing that it was typed for is gone meanwhile."""

import html
import re
from pathlib import Path
from typing import get_args

import pytest

from adspark.db.engine import Database
from deployments.gallery.forms import TypedFormDep
from tests.support.gallery import GalleryClient, form_token, routes_of
from tests.support.library import ad
from tests.support.noticed import add_watch

GONE = "copy it if you still need it"
TYPED = "Mine <b>&</b>\n“two” lines"

# Each form into which something is typed about a thing that may go: its address, that of one which
# is gone, and what is sent.
FORMS = {
    "/boards/{board_id}": ("/boards/77", {"do": "note", "ad": ad(1), "note": TYPED}),
    "/watches/{watch_id}/edit": ("/watches/77/edit", {"name": TYPED, "max_pages": "7"}),
    "/variants/{variant_id}/review": ("/variants/77/review", {"comment": TYPED, "rating": "4"}),
    "/ads/{ad_id}/title": (f"/ads/{ad(99)}/title", {"title": TYPED, "version": "x"}),
    "/ads/{ad_id}/note": (f"/ads/{ad(99)}/note", {"note": TYPED, "version": "x"}),
    "/ads/{ad_id}/tags": (f"/ads/{ad(99)}/tags", {"tag": TYPED}),
    "/ads/{ad_id}/boards": (f"/ads/{ad(99)}/boards", {"create": "", "new": TYPED}),
}


def texts_of(page: str) -> list[str]:
    """What stands in the fields of a page that can be copied and not changed."""
    found = re.findall(r'<textarea rows="\d" readonly>\n(.*?)</textarea>', page, re.DOTALL)
    return [html.unescape(one) for one in found]


@pytest.mark.parametrize("form", FORMS)
async def test_the_page_of_what_is_gone_shows_what_was_typed(
    pages: GalleryClient, form: str
) -> None:
    path, fields = FORMS[form]

    answer = await pages.send_form(path, **fields)

    assert answer.status_code == 404
    assert GONE in answer.text
    assert TYPED in texts_of(answer.text)
    assert fields.get("version", "-") not in texts_of(answer.text)


def test_each_form_that_is_typed_into_is_among_them(database: Database, tmp_path: Path) -> None:
    _, read_typed_form = get_args(TypedFormDep)
    typed = {
        route.path
        for route in routes_of(database, tmp_path)
        if "{" in route.path
        and any(one.call is read_typed_form.dependency for one in route.dependant.dependencies)
    }
    assert typed == set(FORMS)


async def test_a_note_and_a_name_outlive_a_board_that_another_tab_deletes(
    pages: GalleryClient,
) -> None:
    await pages.send_form("/selection", board="Ideas", ad=[ad(1)], back="/library")
    (board,) = re.findall(r'href="(/boards/\d+)"', (await pages.get("/boards")).text)
    token = form_token((await pages.get(board)).text)
    await pages.send_form(board, page=board, do="delete")

    for fields in ({"do": "note", "ad": ad(1), "note": TYPED}, {"do": "rename", "name": "Plans"}):
        answer = await pages.post(board, data={"form_token": token} | fields)
        assert answer.status_code == 404
        assert "You have no such board" in answer.text
        assert texts_of(answer.text) == [fields.get("note") or fields["name"]]


async def test_a_watchs_form_outlives_it(pages: GalleryClient, database: Database) -> None:
    watch_id = await add_watch(database)
    edit = f"/watches/{watch_id}/edit"
    token = form_token((await pages.get(edit)).text)
    await pages.send_form(f"/watches/{watch_id}/delete", page=f"/watches/{watch_id}/delete")

    sent = {"name": "Winter", "text": "shoes.example", "monthly_budget": "90", "save": "yes"}
    answer = await pages.post(edit, data={"form_token": token} | sent)

    assert answer.status_code == 404
    assert texts_of(answer.text) == ["Winter", "shoes.example", "90"]


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/boards/77", {"form_token": "0" * 64, "do": "note", "note": TYPED}, 403),
        ("/sign-in", {"form_token": "0" * 64, "name": "Ana", "password": "tulips"}, 403),
    ],
)
async def test_what_another_page_sends_and_passwords_are_shown_to_nobody(
    pages: GalleryClient, path: str, fields: dict[str, str], status: int
) -> None:
    answer = await pages.post(path, data=fields)

    assert answer.status_code == status
    assert texts_of(answer.text) == []
    assert not {"Mine", "tulips"} & set(re.findall(r"\w+", answer.text))
