"""The flow send-digest against a real database and a real receiver of webhooks."""

import asyncio
import base64
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import State
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.models import EventKind
from adspark.notifications import apprise
from adspark.notifications.digest import DigestSummary
from adspark.notifications.outbox import ack_message, enqueue_messages, hash_receiver
from adspark.settings import get_settings
from flows.send_digest import ARTIFACT_KEY, send_digest
from tests.support.digesting import Story
from tests.support.message_services import serve_mail
from tests.support.picture_host import draw_ad
from tests.support.receiver import WORDS, Receiver
from tests.support.workshop import Workshop

TRIES = 3  # of a run: see ADSPARK_RETRY_DELAYS in conftest.py
SECRET = "hook-s3cret"
LONG = "\n\n".join(word + " filler" * 530 for word in WORDS)  # one part each


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
async def story(environment: pytest.MonkeyPatch, database: Database) -> Story:
    """A watch with a launch that nobody was told of; the settings lead to it."""
    story = Story(database)
    await story.begin()
    # Due far ahead: these tests run by the clock, on which the story's own times are anything.
    await story.ad(await story.watch("shoes", due_at="2999-01-01T00:00:00Z"), 1)
    return story


def send_to(environment: pytest.MonkeyPatch, *addresses: str) -> None:
    """Configure the addresses of the digest."""
    environment.setenv("ADSPARK_NOTIFY_ADDRESSES", " ".join(addresses))
    get_settings.cache_clear()


async def run() -> State[DigestSummary]:
    """Run the flow, which may fail."""
    state: State[DigestSummary] = await send_digest(return_state=True)
    return state


async def artifact_of(state: State[Any]) -> str:
    """The digest that a run put under Artifacts."""
    assert state.state_details.flow_run_id is not None
    runs = ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id])
    async with get_client() as client:
        found = await client.read_artifacts(artifact_filter=ArtifactFilter(flow_run_id=runs))
    (artifact,) = [one for one in found if one.key == ARTIFACT_KEY]
    return str(artifact.data)


async def test_the_digest_arrives_once_with_its_subject(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("team"))
    summary = await send_digest()
    assert summary == DigestSummary(
        watches=1, with_news=1, news=1, events={EventKind.NEW: 1}, unseen=0, delivered=1, stuck=0
    )
    (message,) = receiver.taken_by("team")
    assert message["title"] == "AdSpark: 1 launch"
    assert "\nLaunches: 1\n" in message["message"]
    assert f"CR{1:020d}" in message["message"]

    again = await send_digest()
    assert again == DigestSummary(watches=1, news=0, unseen=0, delivered=0, stuck=0)
    assert len(receiver.taken) == 1


async def test_its_result_says_how_many_events_of_which_kind_it_reports(story: Story) -> None:
    await story.ad(1, 2, EventKind.CHANGED)
    await story.ad(1, 3, EventKind.ENDED, is_ended=True)
    await story.ad(1, 4, EventKind.ENDED, is_ended=True)
    said = (await run()).message
    assert said is not None
    assert said.startswith("1 launch, 1 change, 2 endings in 1 watch, 0 not fully looked at; ")
    assert (await run()).message == (
        "nothing new in 1 watch, 0 not fully looked at; 0 messages delivered, 0 stuck"
    )


async def test_its_result_tells_watches_with_news_from_the_others(story: Story) -> None:
    await story.watch("boots", due_at="2999-01-01T00:00:00Z")
    said = (await run()).message
    assert said is not None
    assert said.startswith("1 launch in 1 of 2 watches, 0 not fully looked at; ")
    again = (await run()).message
    assert again is not None
    assert again.startswith("nothing new in 2 watches, 0 not fully looked at; ")


async def test_what_is_sent_stands_under_artifacts_too(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("team?format=markdown"))
    page = await artifact_of(await run())
    (sent,) = receiver.taken_by("team")
    assert sent["message"].strip() == page.replace("\\", "").strip()  # no name in it needs one


async def test_the_artifact_has_the_pictures_inside_and_a_webhook_gets_them_beside_its_text(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver, shop: Workshop
) -> None:
    thumbnail = await story.picture(1, shop.media, draw_ad(1))
    send_to(environment, receiver.address("team"))
    page = await artifact_of(await run())
    content = base64.b64encode(await shop.media.read(thumbnail)).decode()
    assert f"![CR{1:020d}](data:image/webp;base64,{content})" in page
    (message,) = receiver.taken_by("team")
    assert "thumbnails/" not in message["message"]
    (attached,) = message["attachments"]
    assert (attached["filename"], attached["base64"]) == (f"CR{1:020d}.webp", content)


async def test_watches_can_be_checked_while_its_pictures_are_read(
    story: Story, shop: Workshop, tmp_path: Path
) -> None:
    path = await story.picture(1, shop.media, draw_ad(1))
    (thumbnail,) = tmp_path.rglob(Path(path).name)
    thumbnail.unlink()
    os.mkfifo(thumbnail)
    running = asyncio.create_task(run())
    picture = await asyncio.to_thread(thumbnail.open, "wb")  # opens once the digest reads it
    async with story.database.session() as session:
        await session.execute(text("SELECT FROM watch FOR UPDATE NOWAIT"))
    picture.close()
    assert (await running).is_completed()
    assert await story.count("watch WHERE digested_at IS NOT NULL") == 1


async def test_a_picture_that_is_gone_is_left_out(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver, shop: Workshop
) -> None:
    thumbnail = await story.picture(1, shop.media, draw_ad(1))
    assert await shop.media.remove_older(thumbnail, datetime.now(UTC) + timedelta(days=1))
    send_to(environment, receiver.address("team"))
    page = await artifact_of(await run())
    assert "![" not in page
    assert f"CR{1:020d}" in page
    (message,) = receiver.taken_by("team")
    assert message["attachments"] == []


async def test_without_an_address_there_is_the_artifact_and_a_hint(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    state = await run()
    assert state.is_completed()
    assert "**Launches: 1**" in await artifact_of(state)
    assert await story.count("message") == 0
    assert await story.count("creative_event WHERE notified_at IS NULL") == 0
    assert "(ADSPARK_NOTIFY_ADDRESSES, or the block digest-recipients/adspark)" in caplog.text


async def test_nothing_new_is_sent_only_on_demand(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    await send_digest()
    send_to(environment, receiver.address("team"))
    state = await run()
    assert receiver.taken == []
    assert "## Nothing new, looked at completely: 1" in await artifact_of(state)
    await send_digest(even_if_empty=True)
    (message,) = receiver.taken_by("team")
    assert message["title"] == "AdSpark: nothing new, 1 watch looked at completely"


async def test_what_could_not_be_looked_at_is_sent_though_nothing_is_new(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    await send_digest()
    await story.change(
        "UPDATE watch SET checked_at = now(), coverage = 'none', problem = 'SerpApi is down'"
    )
    send_to(environment, receiver.address("team"))
    summary = await send_digest()
    assert (summary.news, summary.unseen) == (0, 1)
    (message,) = receiver.taken_by("team")
    assert message["title"] == "AdSpark: nothing new found, but 1 of 1 watch not fully looked at"
    assert "could not be looked at: SerpApi is down" in message["message"]
    await send_digest()
    assert len(receiver.taken) == 1


async def test_a_receiver_that_recovers_gets_the_digest_exactly_once(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("team"))
    receiver.broken = {"team"}
    state = await run()
    assert state.is_failed()
    assert state.name == "Failed"
    assert (
        "Not delivered to 1 receiver: address 1 of 1: The webhook answered 500. The next run"
        in (state.message or "")
    )
    assert len(receiver.refused) == TRIES

    receiver.broken = set()
    assert (await send_digest()).delivered == 1
    assert (await send_digest()).delivered == 0
    assert [one["title"] for one in receiver.taken_by("team")] == ["AdSpark: 1 launch"]


async def test_a_refusal_is_tried_once_a_run_and_waits_for_the_next(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("team"))
    receiver.broken, receiver.status = {"team"}, 404
    state = await run()
    assert state.is_failed()
    assert "address 1 of 1: The webhook answered 404" in (state.message or "")
    assert len(receiver.refused) == 1

    receiver.broken = set()
    assert (await send_digest()).delivered == 1


async def test_a_retry_goes_only_to_those_who_may_take_it_by_then(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    names = ("moved", "forbidden", "down", "good")
    send_to(environment, *map(receiver.address, names))
    receiver.statuses = {"moved": 302, "forbidden": 403, "down": 500}
    state = await run()
    assert (state.is_failed(), state.name) == (True, "Partly Failed")
    said = state.message or ""
    assert said.startswith("Not delivered to 3 receivers: address 1 of 4: The webhook answered 302")
    assert "address 2 of 4: The webhook answered 403; address 3 of 4: The webhook answer" in said
    assert "The next run tries again, until 20 attempts have failed. See whether" in said
    assert sorted(receiver.refused) == ["/down"] * TRIES + ["/forbidden", "/moved"]
    assert len(receiver.taken_by("good")) == 1

    receiver.statuses = {}
    assert (await send_digest()).delivered == 3


async def test_a_slow_address_keeps_no_other_waiting(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("slow"), receiver.address("quick"))
    receiver.answers_after = {"slow": "quick"}
    assert (await send_digest()).delivered == 2


async def test_a_failure_that_passes_within_a_run_is_not_seen(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("good"), receiver.address("bad"))
    receiver.broken = {"bad"}
    receiver.delay = 0.2

    async def repair() -> None:
        while not receiver.refused:
            await asyncio.sleep(0.01)
        receiver.broken = set()

    summary, _ = await asyncio.gather(send_digest(), repair())
    assert summary.delivered == 2  # that of the first try included
    assert len(receiver.taken_by("good")) == len(receiver.taken_by("bad")) == 1


async def test_one_address_that_fails_keeps_the_digest_from_no_other(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("bad"), receiver.address("good"))
    receiver.broken = {"bad"}
    state = await run()
    assert state.is_failed()
    assert "address 1 of 2" in (state.message or "")
    assert "address 2 of 2" not in (state.message or "")
    assert len(receiver.taken_by("good")) == 1
    receiver.broken = set()
    assert (await send_digest()).delivered == 1
    assert len(receiver.taken_by("good")) == len(receiver.taken_by("bad")) == 1


async def test_what_waits_for_a_corrected_address_is_reported_and_reaches_it_if_it_comes_back(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("bad"))
    receiver.broken = {"bad"}
    assert (await run()).is_failed()
    send_to(environment, receiver.address("good"))
    state = await run()
    summary = await state.aresult()
    assert (summary.delivered, summary.stuck) == (0, 1)
    assert "its address is no longer configured" in await artifact_of(state)

    await story.event(1, 1, EventKind.CHANGED)
    await send_digest()
    (told,) = receiver.taken_by("good")
    assert "its address is no longer configured" in told["message"]

    receiver.broken = set()
    send_to(environment, receiver.address("bad"))
    assert (await send_digest()).delivered == 1


async def test_a_message_whose_sending_met_a_crash_is_reported_and_never_sent_again(
    story: Story,
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,
) -> None:
    send_to(environment, receiver.address("team"))

    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the machine went away")

    with monkeypatch.context() as patched:
        patched.setattr("tasks.deliver_messages.ack_message", crash)
        assert (await run()).is_failed()
    assert len(receiver.taken) == 1
    await story.change("UPDATE message SET sending_at = now() - interval '11 minutes'")

    state = await run()
    summary = await state.aresult()
    assert (summary.delivered, summary.stuck) == (0, 1)
    assert len(receiver.taken) == 1
    page = await artifact_of(state)
    assert "## Messages that are stuck: 1\n\nThey are not sent any more" in page
    assert "nobody knows whether it arrived" in page

    await story.event(1, 1, EventKind.CHANGED)
    await send_digest()
    assert len(receiver.taken) == 2
    assert "nobody knows whether it arrived" in receiver.taken[-1][1]["message"]


async def test_a_receiver_that_does_not_answer_in_time_gets_the_digest_once_and_the_next_says_so(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("slow?rto=0.2"))
    receiver.delay = 1.0
    state = await run()
    assert state.is_failed()
    said = state.message or ""
    assert "Nobody knows whether it arrived, and it is not sent again: address 1 of 1: The " in said
    assert "The webhook did not answer within 0.2 s. What it tells is in the run's artifact" in said
    assert "Not delivered" not in said

    receiver.delay = 0.0
    state = await run()
    summary = await state.aresult()
    assert (summary.delivered, summary.stuck) == (0, 1)
    page = await artifact_of(state)
    assert "The webhook did not answer within 0.2 s, so nobody knows whether it arrived" in page
    while not receiver.taken:
        await asyncio.sleep(0.01)
    assert len(receiver.taken) == 1


async def test_a_mail_that_its_server_has_and_does_not_answer_is_sent_once(
    story: Story, environment: pytest.MonkeyPatch
) -> None:
    with serve_mail(hangs_up=True) as mails:
        address = f"mailto://127.0.0.1:{mails.port}?from=a@example.com&to=b@example.com"
        send_to(environment, address)
        said = (await run()).message or ""
        assert "it is not sent again: address 1 of 1: The mail server closed the conn" in said
        summary = await (await run()).aresult()
        assert (summary.delivered, summary.stuck) == (0, 1)
        assert len(mails.mails) == 1


async def test_an_answer_that_is_missing_is_told_though_another_address_is_tried_again(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.address("slow?rto=0.2"), receiver.address("bad"))
    receiver.delay, receiver.broken = 1.0, {"bad"}
    said = (await run()).message or ""
    assert "Not delivered to 1 receiver: address 2 of 2: The webhook answered 500. " in said
    assert "it is not sent again: address 1 of 2: The webhook did not answer" in said
    assert len(receiver.refused) == TRIES
    assert len(receiver.taken_by("slow")) == 1


async def put_long_message(story: Story, *recipients: str) -> None:
    """A message of three parts waits; nothing else does."""
    async with story.database.session() as session:
        await enqueue_messages(session, subject="Long", body=LONG, recipients=recipients)
        await session.commit()
    await story.change("UPDATE creative_event SET notified_at = now()")


async def test_a_refused_part_is_sent_again_without_those_before(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    address = receiver.parted_address()
    send_to(environment, address)
    await put_long_message(story, hash_receiver(apprise.Receiver(SecretStr(address))))
    receiver.refuses_word = "beta"
    state = await run()
    assert state.is_failed()
    assert "address 1 of 1, part 2 of 3: Mattermost answered 500" in (state.message or "")
    assert receiver.words() == ["alpha"]
    receiver.refuses_word = None
    assert (await send_digest()).delivered == 1
    assert receiver.words() == list(WORDS)
    assert len(receiver.taken) == 3
    assert len(receiver.refused) == TRIES


async def test_each_receiver_of_one_address_has_its_own_progress(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, receiver.parted_address("red", "blue"))
    receiver.refuses_word = '"red"'
    state = await run()
    assert "address 1 of 1, receiver 2 of 2: Mattermost answered 500" in (state.message or "")
    assert [one["channel"] for _, one in receiver.taken] == ["blue"]
    receiver.refuses_word = None
    assert (await send_digest()).delivered == 1
    assert [one["channel"] for _, one in receiver.taken] == ["blue", "red"]


async def test_a_message_to_an_address_as_a_whole_still_goes_to_all_its_receivers(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """Messages that were written before receivers of one address were told apart."""
    address = receiver.parted_address("red", "blue")
    send_to(environment, address)
    await put_long_message(story, hash_receiver(apprise.Receiver(SecretStr(address))))
    assert (await send_digest()).delivered == 1
    assert receiver.words("red") == receiver.words("blue") == list(WORDS)


async def test_a_part_that_met_a_crash_is_reported_and_the_others_stay_as_they_are(
    story: Story,
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
    receiver: Receiver,
) -> None:
    address = receiver.parted_address()
    send_to(environment, address)
    await put_long_message(story, hash_receiver(apprise.Receiver(SecretStr(address))))

    async def crash(session: AsyncSession, *, message_id: int, chunk: int, chunks: int) -> None:
        if chunk == 1:
            raise RuntimeError("the machine went away")
        await ack_message(session, message_id=message_id, chunk=chunk, chunks=chunks)

    with monkeypatch.context() as patched:
        patched.setattr("tasks.deliver_messages.ack_message", crash)
        assert (await run()).is_failed()
    assert receiver.words() == ["alpha", "beta"]
    await story.change("UPDATE message SET sending_at = now() - interval '11 minutes'")
    page = await artifact_of(await run())
    assert "the sending of part 2 of 3 was cut off" in page
    assert receiver.words() == ["alpha", "beta"]


async def test_two_runs_at_once_send_nothing_twice(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    await story.watch("down", coverage="none", problem="down")
    send_to(environment, receiver.address("a"), receiver.address("b"))
    receiver.delay = 0.2
    summaries = await asyncio.gather(send_digest(), send_digest())
    assert sorted(one.news for one in summaries) == [0, 1]
    assert len(receiver.taken_by("a")) == len(receiver.taken_by("b")) == 1


async def test_an_address_that_apprise_cannot_read_keeps_the_digest_from_no_other(
    story: Story, environment: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    send_to(environment, f"tgram://{SECRET}", receiver.address("team"))
    state = await run()
    assert (state.is_failed(), state.name) == (True, "Partly Failed")
    assert "1 receiver: address 1 of 2: Apprise does not understand the address; correct" in (
        state.message or ""
    )
    assert SECRET not in (state.message or "")
    assert len(receiver.taken_by("team")) == 1
    assert "**Launches: 1**" in await artifact_of(state)


@pytest.mark.parametrize("broken", [set[str](), {SECRET}], ids=["delivered", "refused"])
async def test_an_address_is_nowhere_to_be_read(
    story: Story,
    environment: pytest.MonkeyPatch,
    receiver: Receiver,
    caplog: pytest.LogCaptureFixture,
    broken: set[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="apprise")
    send_to(environment, receiver.address(SECRET), f"json://{SECRET}.invalid/")
    receiver.broken = broken
    state = await run()
    told = [await artifact_of(state), state.message or ""]
    assert state.state_details.flow_run_id is not None
    runs = LogFilterFlowRunId(any_=[state.state_details.flow_run_id])
    async with get_client() as client:
        run_of = await client.read_flow_run(state.state_details.flow_run_id)
        told += [run_of.model_dump_json()]
        told += [line.message for line in await client.read_logs(LogFilter(flow_run_id=runs))]
    # What urllib3 says at DEBUG is its own; nobody has that on who does not look for addresses.
    told += [
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if not record.name.startswith("urllib3")
    ]
    assert any("The webhook has a host that is not known by its name" in line for line in told)
    assert not [line for line in told if SECRET in line]
    assert await story.count(f"message WHERE message::text LIKE '%{SECRET}%'") == 0
