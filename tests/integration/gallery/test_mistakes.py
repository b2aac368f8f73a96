"""What the pages say of a mistake: in the words of the page, and with a way on."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from starlette.types import Message

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.models import Role
from adspark.settings import Settings
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from deployments.gallery.app import create_app
from deployments.gallery.resources import Gallery
from tests.support.gallery import GalleryClient, open_gallery, templates
from tests.support.library import CAFE, ad, fill_library
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import ask, finish

pytestmark = pytest.mark.usefixtures("prefect_away")

PASSWORD = "  tulips and 1 anchor "
_INSIDE = re.compile(r"\badspark [a-z]|ADSPARK_|PREFECT_|\b[a-z]+_[a-z_]+\b")
_FILTERS = [
    *("watch=99999", "watch=nope", "board=nope", "tag=nope", "advertiser=nope", "format=film"),
    *("region=nowhere", "domain=%20x%20y", "first-from=x", "last-to=x", "least-days=x", "size=x"),
    *("aspect=x", "event=x", "words=x", "running=x", "sort=x", "after=x", f"board={'x' * 500}"),
    *("least-days=99999999999", f"q={'x' * 2000}", f"watch={'9' * 5000}", "tag=%00", "q=%00"),
    *("board=a%00b", "format=%00", "region=%00", "advertiser=a%00", "domain=a%00.com"),
]
_PAGES = [
    *(f"/library?{one}" for one in _FILTERS),
    *(f"/advertisers?{one}" for one in ("sort=x", "after=x", "q=%00", "q=nope", f"q={'x' * 2000}")),
    *("/compare?advertiser=nope&advertiser=x", "/compare?weeks=x", f"/advertisers/{CAFE}?weeks=x"),
    *(f"/advertisers/{CAFE}?day=x", f"/advertisers/AR{99:020d}", f"/ads/{ad(99)}", "/ads/x"),
    *("/watches/99", "/watches/99/edit", "/boards/99", "/variants/99", "/watches/1?run=x"),
    *("/variants?status=x", "/variants?user=x", "/variants?user=0", "/variants/new?ad=x"),
    *(f"/ads/{ad(99)}/similar", "/nowhere"),
    *(f"/variants/new?ad={ad(99)}", "/?since=x"),
    *(f"/api/v1/ads?{one}" for one in ("watch=nope", "board=nope", "tag=nope", "advertiser=nope")),
    f"/api/v1/ads/{ad(99)}",
]
_NUMBERS = {
    "interval_minutes": "60",
    "max_pages": "5",
    "monthly_budget": "",
    "ended_after_days": "7",
    "details_per_sweep": "0",
}
_FORMS: list[tuple[str, str, dict[str, Any]]] = [
    ("/watches/new", "/watches/new", {"save": "yes"}),
    ("/watches/new", "/watches/new", {"save": "yes", "name": "x", **_NUMBERS}),
    ("/watches/new", "/watches/new", {"save": "yes", "name": "x", "advertiser": "Zalando"}),
    ("/watches/new", "/watches/new", {"save": "yes", "name": "\0", "advertiser_id": "x"}),
    ("/watches/new", "/watches/new", {"save": "yes", "name": "7", "text": "x", "region": "x"}),
    ("/watches/new", "/watches/new", dict.fromkeys(_NUMBERS, "-1")),
    ("/watches/new", "/watches/new", dict.fromkeys(_NUMBERS, "9" * 5000)),
    ("/variants/new", "/variants/new", {"key": uuid4().hex, "ad": "x", "prompt": "Red"}),
    ("/variants/new", "/variants/new", {"key": uuid4().hex, "ad": ad(99), "prompt": "Red"}),
    ("/variants/new", "/variants/new", {"key": uuid4().hex, "ad": ad(1), "prompt": ""}),
    ("/variants/new", "/variants/new", {"key": uuid4().hex, "ad": ad(1), "prompt": "\0"}),
    ("/variants/new", "/variants/new", {"key": uuid4().hex, "ad": ad(1), "workspace": "9" * 5000}),
    ("/boards", "/boards", {"name": ""}),
    ("/boards", "/boards", {"name": "Ideas"}),
    ("/boards", "/boards", {"name": "\0"}),
    (f"/ads/{ad(1)}/boards", f"/ads/{ad(1)}", {"board": "nope"}),
    (f"/ads/{ad(1)}/boards", f"/ads/{ad(1)}", {"new": "Ideas"}),
    (f"/ads/{ad(1)}/tags", f"/ads/{ad(1)}", {"tag": "\0"}),
    (f"/ads/{ad(1)}/tags", f"/ads/{ad(1)}", {"share": "nope"}),
    (f"/ads/{ad(1)}/details", f"/ads/{ad(1)}", {}),
    ("/selection", "/library", {"add-board": "", "board": "\0", "ad": ad(1), "back": "/library"}),
    ("/selection", "/library", {"add-board": "", "board": "New", "ad": ad(9), "back": "/library"}),
    ("/variants/1/review", "/variants/1", {"rating": "9" * 5000}),
    ("/variants/1/review", "/variants/1", {"comment": "x" * 99_999, "reason": "\0"}),
    ("/watches/1/look", "/watches/1", {}),
]


async def _fill(database: Database) -> None:
    """Something of each kind, beside ads."""
    await add_watch(database)
    async with database.session() as session:
        await create_board(session, user_id=1, name="Ideas")
        board = await find_board(session, user_id=1, name="Ideas")
        await add_ads(session, board_id=board.id, ids=[ad(1), ad(2)])
        await finish(session, await ask(session, ad(1), wants_review=True))
        await session.commit()


@pytest.fixture
async def pages(database: Database, pages: GalleryClient) -> GalleryClient:
    """The pages over something of each kind."""
    await _fill(database)
    return pages


def _said(page: str) -> str:
    """What a person reads of a page."""
    return html.unescape(re.sub(r"<(script|style|template).*?</\1>|<[^>]+>", " ", page, flags=re.S))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/watches?state=zzz", "state: 'zzz' is not one of active, paused"),
        ("/watches?after=zzz", "after: is no parameter here; pages are numbered, as page=2."),
        ("/?after=zzz", "after: is no parameter here; pages are numbered, as page=2."),
        ("/?since=zzz", "since: 'zzz' is not one of day, week, visit."),
        ("/?show=zzz", "show: 'zzz' is not one of "),
        ("/variants/batches?after=zz", "after: is not a whole number."),
        ("/variants/batches?after=1_0", "after: is not a whole number."),
        ("/variants/batches?after=0", "after: is less than 1."),
        ("/variants/batches/1?after=-1", "after: is less than 0."),
        ("/variants/batches/1?after=zz", "after: is not a whole number."),
    ],
)
async def test_a_filter_that_is_unknown_is_named(
    pages: GalleryClient, address: str, words: str
) -> None:
    answer = await pages.get(address)
    assert answer.status_code == 422
    assert words in _said(answer.text)
    assert f'class="button" href="{address.partition("?")[0]}"' in answer.text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "since"),
        ("/advertisers", "q"),
        ("/advertisers/AR1", "day"),
        ("/ads/CR1", "run"),
        ("/compare", "weeks"),
        ("/variants", "status"),
        ("/variants/batches", "after"),
        ("/variants/export", "batch"),
        ("/variants/new", "of"),
        ("/watches", "state"),
        ("/watches/new", "advertiser"),
    ],
)
async def test_a_parameter_that_is_given_twice_is_named(
    pages: GalleryClient, path: str, name: str
) -> None:
    answer = await pages.get(f"{path}?{name}=1&{name}=2")

    assert answer.status_code == 422
    assert f"{name}: is given more than once; leave one out." in _said(answer.text)


async def test_no_page_about_a_mistake_in_its_address_names_the_inside(
    pages: GalleryClient,
) -> None:
    for path in _PAGES:
        answer = await pages.get(path, follow_redirects=True)

        assert answer.status_code < 500, path
        assert "\0" not in answer.text, path
        assert not _INSIDE.search(_said(answer.text)), (path, _INSIDE.search(_said(answer.text)))


async def test_no_page_about_a_mistake_in_a_form_names_the_inside(pages: GalleryClient) -> None:
    for path, page, fields in _FORMS:
        answer = await pages.send_form(path, page, **fields)

        assert answer.status_code in (200, 400, 403, 404, 409, 422, 503), (path, fields)
        found = _INSIDE.search(_said(answer.text))
        assert not found, (path, fields, found)


@pytest.mark.parametrize(
    ("field", "value", "lead"),
    [
        ("watch", "99999", "/watches"),
        ("watch", "nope", "/watches"),
        ("board", "nope", "/boards"),
        ("advertiser", "nope", "/advertisers"),
        ("tag", "nope", None),
    ],
)
async def test_a_filter_that_names_what_is_not_there_says_so_beside_it_and_leads_on(
    pages: GalleryClient, field: str, value: str, lead: str | None
) -> None:
    answer = await pages.get(f"/library?{urlencode({field: value})}")

    assert answer.status_code == 422
    beside = re.search(rf'id="problem-{field}">(.*?)</label>', answer.text, re.S)
    assert beside, "nothing stands beside the field"
    assert lead is None or f'<a href="{lead}">' in beside[1]


async def test_a_form_that_a_service_fails_leads_back_to_its_page(pages: GalleryClient) -> None:
    pages.headers["Referer"] = "http://127.0.0.1/watches/1?run=x"
    answer = await pages.send_form("/watches/1/look", "/watches/1")

    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert '<a class="button" href="/watches/1?run=x">' in answer.text

    pages.headers["Referer"] = "http://evil.example/watches/1"
    answer = await pages.send_form("/watches/1/look", "/watches/1")
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("rating", ["9" * 5000, "-1", "٣", "\0"])
async def test_a_review_with_a_nonsense_rating_keeps_what_was_typed(
    pages: GalleryClient, rating: str
) -> None:
    answer = await pages.send_form(
        "/variants/1/review", "/variants/1", rating=rating, comment="typed <b>", seen_at=""
    )

    assert answer.status_code == 422
    assert "typed &lt;b&gt;" in answer.text
    assert 'id="problem-rating"' in answer.text


async def test_a_comment_that_cannot_be_kept_is_said_beside_it_and_is_still_there(
    pages: GalleryClient,
) -> None:
    answer = await pages.send_form(
        "/variants/1/review", "/variants/1", comment="half\0 a thought", reason="\0", seen_at="\0"
    )

    assert answer.status_code == 422
    assert 'id="problem-comment"' in answer.text
    assert "half a thought" in answer.text


async def test_a_prompt_that_cannot_be_kept_is_said_beside_it_and_is_still_there(
    pages: GalleryClient,
) -> None:
    answer = await pages.send_form(
        "/variants/new", "/variants/new", key=uuid4().hex, ad=ad(1), prompt="warm\0er"
    )

    assert answer.status_code == 422
    assert 'id="problem-prompt"' in answer.text
    assert ">warmer<" in answer.text


_FORM = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"[^>]*>(.*?)</form>', re.S)
_BUTTON = re.compile(r"<button\b([^>]*)>")
_ACTION = re.compile(r'formaction="([^"]*)"')


async def test_no_button_that_a_reader_can_press_is_refused(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    await _fill(database)
    async with database.session() as session:
        number = await add_user(session, name="Rea")
        await save_password(session, user_id=number, password=PASSWORD, role=Role.READER)
        await session.commit()
    shown = [
        *("/", "/library", f"/ads/{ad(1)}", "/advertisers", f"/advertisers/{CAFE}", "/compare"),
        *("/watches", "/watches/new", "/watches/1", "/watches/1/edit", "/watches/1/delete"),
        *("/variants", f"/variants/new?ad={ad(1)}", "/variants/1", "/boards", "/boards/1"),
    ]
    pressed, disabled = set(), 0
    async with open_gallery(database_url, tmp_path / "media", needs_sign_in=True) as client:
        fields = {"name": "Rea", "password": PASSWORD, "back": "/library"}
        await client.send_form("/sign-in", page="/sign-in", **fields)
        for path in shown:
            page = (await client.get(path)).text
            for action, content in _FORM.findall(page):
                buttons = [one for one in _BUTTON.findall(content) if 'type="button"' not in one]
                disabled += sum(" disabled" in one for one in buttons)
                for one in buttons:
                    if any(word in one for word in (" disabled", 'type="reset"', "formmethod")):
                        continue
                    own = _ACTION.search(one)
                    pressed.add((path, html.unescape(own[1] if own else action)))
        for path, action in pressed - {(path, "/sign-out") for path in shown}:
            answer = await client.send_form(action, path)
            assert answer.status_code != 403, (path, action)
    assert disabled > 10


@pytest.mark.parametrize("needs_sign_in", [False, True])
async def test_a_browser_that_goes_away_while_it_sends_a_form_is_no_error(
    database: Database, caplog: pytest.LogCaptureFixture, *, needs_sign_in: bool
) -> None:
    gallery = Gallery(Settings(), database, MediaStore("nowhere"), templates())
    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/variants/new",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), form, (b"content-length", b"100")],
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 9),
    }
    to_come: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"ad=", "more_body": True},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return to_come.pop()

    async def send(message: Message) -> None:
        answered.append(message)

    await create_app(gallery, needs_sign_in=needs_sign_in)(scope, receive, send)

    assert (to_come, answered[0]["status"]) == ([], 400)
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("address", "name", "without"),
    [
        ("/?since=zzz", "since", "/"),
        ("/?show=zzz&since=week", "show", "/?since=week"),
        ("/watches?state=zzz", "state", "/watches"),
    ],
)
async def test_a_wrong_parameter_of_an_address_leads_to_the_page_without_it(
    pages: GalleryClient, address: str, name: str, without: str
) -> None:
    answer = await pages.get(address)
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "This address cannot be used." in page
    assert f"<p>{name}: " in page
    assert "send it again" not in page
    assert f'<a class="button" href="{without}">Show the page without it</a>' in page
    assert (await pages.get(without)).status_code == 200


async def test_no_button_of_an_address_leads_to_another_site(pages: GalleryClient) -> None:
    answer = await pages.get(pages.base_url.copy_with(raw_path=b"//evil.example/x?a=1&a=2"))
    assert answer.status_code == 422
    assert 'href="//' not in answer.text
