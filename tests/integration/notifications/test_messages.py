"""Messages as each service gets them from Apprise, and as it shows them: nothing from outside is
mark-up, a link or a mention, and no part ends inside of anything."""

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from apprise import Apprise
from pydantic import SecretStr

from adspark.models import Coverage, EventKind
from adspark.notifications.apprise import Receiver, send, send_chunk, write_chunks
from adspark.notifications.digest_text import Digest, EventList, ReportedCreative, WatchDigest
from adspark.notifications.message import read_markdown
from adspark.notifications.services import Chunk
from tests.support.message_services import (
    INVISIBLE,
    Mails,
    Posts,
    Seen,
    as_read,
    posts_of_all_services,
    see_commonmark,
    see_html,
    see_mrkdwn,
    serve_mail,
)

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "discord://webhookid/webhooktoken"
MATTERMOST = "mmost://chat.example.com/3ccdd113474722377935511fc85d3dd4"
TEAMS = "workflows://flows.example.com:443/643e69f83c8944438d68119179a10a64/sHSTU5vdyQAe4Sq0R15M"
TELEGRAM = "tgram://123456789:abcdefghijklmnop/111"
WEBHOOK = "json://hooks.example.com/news"
NOW = datetime.fromisoformat("2026-07-29T08:00:00Z")
LINK = "https://adstransparency.google.com/advertiser/AR1/creative/CR1?region=US&a_b=*c*"

HOSTILE = {
    "Coca-Cola (EU)": "Coca-Cola (EU)",
    "A&B <b>": "A&B <b>",
    "A&amp;B &lt;c&gt;": "A&amp;B &lt;c&gt;",
    "@everyone, @here & @channel": "@everyone, @here & @channel",
    "<@U123> <!channel> <#C024BE91L|x>": "<@U123> <!channel> <#C024BE91L|x>",
    "<!subteam^S1|<b>> <@&42> <t:1> <:x:1>": "<!subteam^S1|<b>> <@&42> <t:1> <:x:1>",
    "<at>Ann</at> @ann @all ~town-square": "<at>Ann</at> @ann @all ~town-square",
    "*x*_y_": "*x*_y_",
    "**x** __y__ ~~z~~ ||s|| my_shop_name": "**x** __y__ ~~z~~ ||s|| my_shop_name",
    "`code` ``` :tada:": "`code` ``` :tada:",
    "[x](javascript:alert(1)) ![p](http://e.com/p)": "[x](javascript:alert(1)) ![p](http://e.com/p)",
    "<https://e.com|yours> <a href='//e.com'>z": "<https://e.com|yours> <a href='//e.com'>z",
    "# H\n## I\n> q\n- l": "# H ## I > q - l",
    "> q": "> q",
    "1. one": "1. one",
    "- # h": "- # h",
    "a\u202egnp.exe\u2066": "agnp.exe",
    "zero\u200bwidth\ufeff\x07": "zerowidth",
    "שלום (עולם)": "שלום (עולם)",
    r"back\slash \* C:\new": r"back\slash \* C:\new",
}
"""Names as they come, and as a person reads them."""


def digest() -> Digest:
    """A launch of each of the hostile advertisers, for a watch of such a name."""
    creatives = [
        ReportedCreative(
            ad_creative_id=f"CR{number:020d}",
            advertiser=name,
            format="image",
            size="380 × 199",
            target_domain="my_shop_.com",
            first_shown=NOW,
            last_shown=NOW,
            days_shown=3,
            link=LINK,
        )
        for number, name in enumerate(HOSTILE)
    ]
    watch = WatchDigest(
        watch_id=1,
        name="@here *w* <!here>",
        is_active=True,
        interval_minutes=60,
        coverage=Coverage.PARTIAL,
        problem="<@U1> said `no`",
        checked_at=NOW,
        complete_at=NOW,
        is_overdue=False,
        is_unreported=True,
        events={EventKind.NEW: EventList(number=len(creatives), creatives=creatives)},
    )
    return Digest(at=NOW, watches=[watch], event_ids=[])


@pytest.fixture
def posts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posts]:
    """Gets what is posted to any service."""
    monkeypatch.setattr("apprise.plugins.base.NotifyBase.request_rate_per_sec", 0)
    with posts_of_all_services(monkeypatch) as server:
        yield server


@pytest.fixture
def mails() -> Iterator[Mails]:
    """Gets mail."""
    with serve_mail() as server:
        yield server


async def deliver(address: str, body: str, subject: str = "AdSpark: 1 launch") -> list[Chunk]:
    """Write a message for an address, and send all its parts, as the task does."""
    receiver = Receiver(SecretStr(address))
    parts = write_chunks(receiver, subject=subject, blocks=read_markdown(body))
    for part in parts:
        await send_chunk(receiver, part)
    return parts


def _slack(post: dict[str, Any]) -> str:
    return str(post["attachments"][0]["text"])


def _slack_blocks(post: dict[str, Any]) -> str:
    (section,) = [one for one in post["attachments"][0]["blocks"] if one["type"] == "section"]
    return str(section["text"]["text"])


def _teams(post: dict[str, Any]) -> str:
    card = post["attachments"][0]["content"]
    assert "entities" not in card["msteams"]
    return str(card["body"][-1]["text"])


def _discord(post: dict[str, Any]) -> str:
    assert "allow_mentions" not in post
    return str(post["content"])


def _embed(post: dict[str, Any]) -> str:
    assert "content" not in post
    assert "fields" not in post["embeds"][0]
    return str(post["embeds"][0]["description"])


def _see_telegram(body: str) -> Seen:
    return see_html(body, is_telegram=True)


def _see_discord(body: str) -> Seen:
    return see_commonmark(body, has_entities=False)


SERVICES: dict[str, tuple[str, Callable[[dict[str, Any]], str], Callable[[str], Seen]]] = {
    "slack": (SLACK, _slack, see_mrkdwn),
    "slack as text": (f"{SLACK}?format=text", _slack, see_mrkdwn),
    "slack blocks": (f"{SLACK}?blocks=yes", _slack_blocks, see_mrkdwn),
    "discord": (DISCORD, _discord, _see_discord),
    "discord embeds": (f"{DISCORD}?format=markdown", _embed, _see_discord),
    "mattermost": (MATTERMOST, lambda post: str(post["text"]), see_commonmark),
    "teams": (TEAMS, _teams, see_commonmark),
    "telegram": (TELEGRAM, lambda post: str(post["text"]), _see_telegram),
    "telegram markdown": (
        f"{TELEGRAM}?format=markdown", lambda post: str(post["text"]), _see_telegram,
    ),
    "webhook markdown": (
        f"{WEBHOOK}?format=markdown", lambda post: str(post["message"]), see_commonmark,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
async def test_a_chat_shows_hostile_names_as_they_are_and_nothing_acts(
    posts: Posts, name: str
) -> None:
    address, body_of, see = SERVICES[name]
    parts = await deliver(address, digest().markdown())
    assert len(posts.bodies) == len(parts)
    seen = [see(body_of(post)) for post in posts.bodies]
    text = as_read("\n".join(one.text for one in seen))
    for shown in HOSTILE.values():
        assert f"{shown}, image, 380 × 199, my_shop_.com, first shown 2026-07-29: CR" in text
    assert "@here *w* <!here> (watch 1)" in text
    assert "only partly looked at: <@U1> said `no`; last complete look" in text
    assert "\\" not in text.replace(r"back\slash \* C:\new", "")
    assert [one.other for one in seen if one.other] == []
    links = [link for one in seen for link in one.links]
    assert links == [(f"CR{n:020d}", LINK.replace("*", "%2A")) for n in range(len(HOSTILE))]
    bold = as_read(" ".join(part for one in seen for part in one.bold))
    for heading in ("Launches: 20", "There may be more:"):
        assert heading in bold


async def test_a_webhook_gets_no_html_in_its_markdown(posts: Posts) -> None:
    await deliver(f"{WEBHOOK}?format=markdown", digest().markdown())
    written = posts.body["message"]
    assert "A&B <\u200bb>" in written
    assert re.findall(r"(?i)<(?!https:)[a-z/?].*", written) == []


async def test_a_plain_webhook_gets_plain_text(posts: Posts) -> None:
    await deliver(WEBHOOK, digest().markdown())
    text = posts.body["message"]
    for shown in HOSTILE.values():
        line = next(one for one in text.splitlines() if INVISIBLE.sub("", one).startswith(
            f"- {shown}, image"))  # fmt: skip
        assert line.endswith(f" ({LINK.replace('*', '%2A')})")
    assert "**" not in text.replace("**x**", "")
    assert "@here *w* <!here> (watch 1)" in text
    assert posts.body["title"] == "AdSpark: 1 launch"


def _plain_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


async def test_mail_shows_hostile_names_in_html_and_in_text(mails: Mails) -> None:
    server = f"mailto://127.0.0.1:{mails.port}?from=a@example.com&to=b@example.com&mode=insecure"
    await deliver(server, digest().markdown(), subject="AdSpark: 1 launch\nBcc: c@example.com")
    await deliver(f"{server}&format=text", digest().markdown())
    html, text = mails.mails
    assert html["Subject"] == "AdSpark: 1 launch Bcc: c@example.com"
    assert html["Bcc"] is None
    page = html.get_body(("html",))
    assert page is not None
    seen = see_html(page.get_content())
    assert seen.other == []
    assert [address for _, address in seen.links] == [LINK.replace("*", "%2A")] * len(HOSTILE)
    for shown in HOSTILE.values():
        for read in (seen.text, _plain_of(html), _plain_of(text)):
            flat = " ".join(INVISIBLE.sub("", read).split())
            assert f"{shown}, image, 380 × 199" in flat
    for read in (_plain_of(html), _plain_of(text)):
        assert read.count(f"({LINK.replace('*', '%2A')})") == len(HOSTILE)
    assert text.get_body(("html",)) is None


THUMBNAIL = f"thumbnails/ab/{'ab' * 32}.webp"
PICTURED = f"- ![CR1]({THUMBNAIL}) New Balance\n- ![CR2](thumbnails/../x.webp) On"


async def test_mail_shows_a_picture_where_the_text_names_it(mails: Mails) -> None:
    server = f"mailto://127.0.0.1:{mails.port}?from=a@example.com&to=b@example.com&mode=insecure"
    receiver = Receiver(SecretStr(server))
    (part,) = write_chunks(receiver, subject="News", blocks=read_markdown(PICTURED))
    assert part.pictures == {"CR1.webp": THUMBNAIL}
    await send_chunk(receiver, part, {"CR1.webp": b"RIFF-webp"})
    (mail,) = mails.mails
    page = mail.get_body(("html",))
    assert page is not None
    assert re.findall('<img src="([^"]*)"', page.get_content()) == ["cid:CR1.webp"]
    (picture,) = [one for one in mail.walk() if one.get_content_type() == "image/webp"]
    assert (picture["Content-ID"], picture.get_content()) == ("<CR1.webp>", b"RIFF-webp")
    assert _plain_of(mail).splitlines() == ["- New Balance", "- CR2 On"]


LANDING = f"https://shop.example.com/?{'a' * 3000}"


async def test_a_long_address_is_wrapped_in_mail_and_stands_in_its_text(mails: Mails) -> None:
    server = f"mailto://127.0.0.1:{mails.port}?from=a@example.com&to=b@example.com&mode=insecure"
    await deliver(server, f"**New**\n\n- Shoes: [CR1]({LINK}); to [{LANDING}]({LANDING})")
    (mail,) = mails.mails
    page = mail.get_body(("html",))
    assert page is not None
    assert page.get_content().startswith('<div style="overflow-wrap: anywhere">')
    shown = LINK.replace("*", "%2A")
    item = f"- Shoes: CR1 ({shown}); to {LANDING}"
    assert _plain_of(mail).splitlines() == ["New", "", item]


async def test_a_webhook_gets_items_without_a_gap_where_a_picture_was(posts: Posts) -> None:
    await deliver(WEBHOOK, PICTURED)
    assert posts.body["message"] == "- New Balance\n- CR2 On"


@pytest.mark.parametrize(("address", "most"), [(DISCORD, 4), (TELEGRAM, 4), (MATTERMOST, 0)])
def test_a_chat_gets_few_pictures_beside_its_text(address: str, most: int) -> None:
    lines = [f"- ![CR{n}](thumbnails/ab/{n:064x}.webp) New Balance {n}" for n in range(9)]
    blocks = read_markdown("\n".join(lines))
    parts = write_chunks(Receiver(SecretStr(address)), subject="News", blocks=blocks)
    assert len(parts[0].pictures) == most
    assert "thumbnails" not in parts[0].body + parts[0].title
    assert [part.pictures for part in parts[1:]] == [{}] * (len(parts) - 1)


LIMITS = {SLACK: 35_000, f"{SLACK}?blocks=yes": 3_000, DISCORD: 2_000, MATTERMOST: 4_000,
          TEAMS: 1_000, TELEGRAM: 4_096}  # fmt: skip


@pytest.mark.parametrize("name", [one for one in SERVICES if "webhook" not in one])
async def test_a_long_message_is_split_where_nothing_breaks(posts: Posts, name: str) -> None:
    address, body_of, see = SERVICES[name]
    lines = [f"- A&B \\<x\\> 😀 {number:04d}: [CR{number:020d}]({LINK})" for number in range(300)]
    word = "wide" * 1_000
    body = f"# Head\n\n- first\n\n**Bold &amp; {'words ' * 1_000}end**\n\n{word}\n\n" + "\n".join(
        lines
    )
    await deliver(address, body, subject="S" * 400)
    limit = LIMITS.get(address, LIMITS.get(address.partition("?")[0], 0))
    sent = [body_of(post) for post in posts.bodies]
    assert len(sent) > 1
    assert max(len(one.encode("utf-16-le")) // 2 for one in sent) <= limit
    seen = [see(one) for one in sent]
    assert [one.other for one in seen if one.other] == []
    assert [link for one in seen for link in one.links] == [
        (f"CR{number:020d}", LINK.replace("*", "%2A")) for number in range(300)
    ]
    text = as_read("".join(one.text for one in seen))
    for number in (0, 150, 299):
        assert f"A&B <x> 😀 {number:04d}: CR{number:020d}" in text
    assert text.count("words") == 1_000
    assert text.count("wide") > 950  # a few are parted by a part's end
    for part in sent[:-1]:  # no heading stands alone at a part's end
        assert not part.rstrip().endswith("Head")


async def test_the_parts_of_a_message_are_counted_where_there_is_a_title(posts: Posts) -> None:
    body = "\n".join(f"- line {number}" for number in range(300))
    parts = await deliver(DISCORD, body, subject="News")
    assert len(parts) > 1
    assert [part.title for part in parts] == [
        f"News ({place}/{len(parts)})" for place in range(1, len(parts) + 1)
    ]
    assert posts.bodies[0]["content"].startswith("News (1/")


@pytest.mark.parametrize(
    ("choice", "count"), [("truncate", 1), ("upstream", 1), ("split", 3)], ids=str
)
async def test_an_address_may_say_what_becomes_of_a_long_message(
    posts: Posts, choice: str, count: int
) -> None:
    await deliver(f"{MATTERMOST}?overflow={choice}", "word " * 2_000)
    assert len(posts.bodies) == count
    assert (len(posts.bodies[0]["text"]) <= 4_000) == (choice != "upstream")


@pytest.mark.parametrize("name", [one for one in SERVICES if one != "slack as text"])
async def test_an_alert_quotes_what_a_run_has_said_and_nothing_of_it_acts(
    posts: Posts, name: str
) -> None:
    address, body_of, see = SERVICES[name]
    said = "Failed: *x* [y](https://evil.example) <!channel> @everyone A&B <b> `@here`"
    ui = "http://127.0.0.1:4200/runs/flow-run/0b_c_d*e"
    await send(
        SecretStr(address),
        subject="AdSpark: a sweep failed",
        body=f"mauve-otter ended {said}\n\n{ui}\n\n`adspark task 0b1`",
    )
    seen = see(body_of(posts.body))
    shown = as_read(seen.text)
    assert "mauve-otter ended Failed: *x* [y](https://evil.example) <!channel> @everyone" in shown
    assert "A&B <b>" in shown
    assert "adspark task 0b1" in shown
    assert "\n0b1" not in shown
    assert ui.replace("*", "%2A") in [target for _, target in seen.links]
    acts = [one for one in seen.other if re.search(r"@\w", one)]
    assert acts == []


async def test_a_very_long_alert_is_cut(posts: Posts) -> None:
    await send(SecretStr(DISCORD), subject="AdSpark", body="no " * 100_000)
    assert 1 < len(posts.bodies) <= 4
    assert posts.bodies[-1]["content"].endswith("…")


@pytest.mark.parametrize(
    "address",
    [
        "gchat://workspace/webhookkey/webhooktoken",
        "rocket://u:p@chat.example.com/#news",
        "zulip://bot@org/A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6/news",
        "ntfy://ntfy.example.com/news",
        "matrix://u:p@matrix.example.com/#room",
        "gotify://gotify.example.com/token",
        "xml://hooks.example.com",
    ],
)
def test_other_services_get_parts_that_they_take(address: str) -> None:
    service = Apprise.instantiate(address)
    assert service is not None
    parts = write_chunks(
        Receiver(SecretStr(address)), subject="AdSpark", blocks=read_markdown(digest().markdown())
    )
    assert max(len(part.body) for part in parts) <= service.body_maxlen
    text = as_read(" ".join(part.body for part in parts)).replace("\\", "")
    assert "Coca-Cola (EU), image" in text
    raw = " ".join(part.body for part in parts)
    assert ("@everyone" in raw) == address.startswith("xml")
    assert "&lt;b" not in raw


async def test_two_parts_at_once_do_not_mix(posts: Posts) -> None:
    await asyncio.gather(deliver(SLACK, "one & only"), deliver(SLACK, "two <b>"))
    assert sorted(map(_slack, posts.bodies)) == ["one &amp; only", "two &lt;b&gt;"]


@pytest.mark.parametrize("text", ["\u0301" * 4000, "\u200d".join("👩" * 2000), "é\u0301" * 2000])
def test_characters_without_an_end_are_cut_near_the_limit(text: str) -> None:
    address = f"twilio://AC{'a' * 32}:{'b' * 32}@12345678901/12345678902"
    parts = write_chunks(
        Receiver(SecretStr(address)), subject="AdSpark", blocks=read_markdown(text)
    )
    assert len(parts) < 2 + 2 * len(text.encode("utf-16-le")) / 2 / 140
