"""`adspark variant`: what a person types becomes requests and reviews; mistakes write nothing."""

import itertools
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from adspark.errors import (
    ConfigurationError,
    GenerationFailedError,
    InvalidQueryError,
    UnknownVariantError,
    UnusableContentError,
)
from adspark.media.store import MediaStore
from adspark.models import VariantStatus
from adspark.sandbox.control.pictures import draw_picture
from adspark.settings import get_settings
from adspark.variants.state import VariantState
from deployments.cli import main as cli
from deployments.cli.main import app
from tests.support.checked import BROKEN
from tests.support.commanding import Command
from tests.support.variants_at_hand import (
    AD,
    OTHER,
    THIRD,
    accept,
    ask,
    begin,
    fail,
    finish,
    in_session,
    make,
)

PICTURE = draw_picture({"advertiser": "A", "ad_creative_id": AD, "format": "text"})
OTHER_PICTURE = draw_picture({"advertiser": "B", "ad_creative_id": OTHER, "format": "text"})
LATER = "claimed once the stack runs (adspark up)."


pytestmark = pytest.mark.usefixtures("three_stored_ads")
command = Command("variant")
run, told, given = command.run, command.told, command.given


@pytest.fixture
def workflow(monkeypatch: pytest.MonkeyPatch, sandbox_url: str) -> None:
    """A workflow whose prompts have 2,000 characters at most, as the environment names it."""
    monkeypatch.setenv("ADSPARK_DIFY_URL", f"{sandbox_url}/v1")
    monkeypatch.setenv("ADSPARK_DIFY_KEY", "app-sandbox")
    get_settings.cache_clear()


def listed(*arguments: str) -> list[dict[str, Any]]:
    """The variants, as a program reads them."""
    rows: list[dict[str, Any]] = given("list", *arguments)["variants"]
    return rows


def completed(database_url: str, **changes: Any) -> str:  # noqa: ANN401
    """A completed variant with both its pictures in the media store; returns its number."""

    async def act(session: AsyncSession) -> str:
        media = MediaStore(str(get_settings().home / "media"))
        path, _ = await media.save_variant(OTHER_PICTURE)
        original = await media.save_original("0" * 64, PICTURE)
        begun = await begin(session, await ask(session, prompt="A | red\n[one]", workspace_id=3))
        await VariantState(session, begun).save_original(path=original, sha256="0" * 64)
        made = await finish(session, begun, **({"image_path": path} | changes))
        return str(made.id)

    return in_session(database_url, act)


@pytest.fixture
def watch(database_url: str, three_stored_ads: None) -> None:
    """A watch called hubspot to which three ads are new, one of them with a red variant."""

    async def act(session: AsyncSession) -> None:
        await session.execute(
            text(
                "INSERT INTO watch (user_id, name, text, political_ads, is_active) "
                "VALUES (1, 'hubspot', 'hubspot.com', false, true)"
            )
        )
        await session.execute(
            text(
                "INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash) "
                "SELECT 1, ad_creative_id, 'new', 'x' FROM creative"
            )
        )
        await ask(session, OTHER)

    in_session(database_url, act)


def test_one_request_is_a_row_that_waits_for_the_stack() -> None:
    said = told("request", AD, "--prompt", " Red ", "--user", "7", "--workspace", "3", "--review")
    assert said == f"Requested 1: {LATER}"
    (row,) = listed()
    assert (row["status"], row["original_ad_id"], row["prompt"]) == ("pending", AD, "Red")
    assert (row["user_id"], row["workspace_id"], row["wants_review"]) == (7, 3, True)


def test_many_requests_are_counted_and_asked_about() -> None:
    refused = run("request", AD, OTHER, "-p", "Red", typed="n\n")
    assert "2 generations, each paid for. Request them? [y/N]" in refused.stderr
    assert refused.exit_code == 1
    assert listed() == []
    said = told("request", AD, OTHER, "-p", "Red", typed="y\n")
    assert said.endswith(f"Requested 1, 2: {LATER}")
    assert [row["original_ad_id"] for row in listed()] == [OTHER, AD]


def test_where_nothing_would_begin_nobody_waits_and_nothing_is_requested() -> None:
    refused = run("request", AD, OTHER, "-p", "Red", "--yes", "--wait")
    assert str(refused.exception).startswith("--wait: no stack runs, and nothing would begin; ")
    assert listed() == []
    assert told("request", AD, "-p", "Red", "--wait", "--dry-run").startswith("1 generation; noth")


def test_an_ad_that_is_named_twice_is_asked_for_once() -> None:
    assert told("request", AD, OTHER, AD, "-p", "Red", "--yes") == f"Requested 1, 2: {LATER}"
    assert told("request", AD, AD, "-p", "Blue") == f"Requested 3: {LATER}"


def test_a_variant_of_the_same_prompt_is_generated_again_with_a_word_of_it() -> None:
    told("request", AD, OTHER, "-p", "Red", "--yes")
    already = "1 ad has a variant of this prompt already; another is generated, and paid for."
    assert told("request", AD, "-p", " Red ") == f"{already} Requested 3: {LATER}"
    both = told("request", AD, OTHER, "-p", "Red", "--dry-run")
    assert both.startswith("2 ads have a variant of this prompt already; another of each is gen")
    assert given("request", AD, "-p", "Red", "--dry-run")["notes"] == [already]
    assert given("request", AD, "-p", "Red", "--user", "7", "--dry-run")["notes"] == []


def test_a_dry_run_says_how_many_and_writes_nothing() -> None:
    said = told("request", AD, OTHER, AD, "-p", "Red", "--dry-run")
    assert said == "2 generations; nothing was requested."
    assert told("request", AD, "-p", "Red", "--dry-run").startswith("1 generation; nothing")
    assert given("request", AD, "-p", "Red", "--dry-run") == {
        "variants": [], "started": 0, "generations": 1, "notes": [],
    }  # fmt: skip
    assert listed() == []


def test_a_dry_run_is_refused_as_the_request_would_be(database_url: str) -> None:
    in_session(database_url, lambda session: ask(session))
    with pytest.raises(InvalidQueryError, match="--of: variant 1 is pending; take a comple"):
        told("request", "--of", "1", "-p", "Red", "--dry-run")
    Command("users").told("budget", "7", "0")
    with pytest.raises(InvalidQueryError, match="user 7 has a budget of 0 generations"):
        told("request", AD, "-p", "Red", "--user", "7", "--dry-run")
    with pytest.raises(InvalidQueryError, match="prompt: is empty"):
        told("request", AD, "-p", "\u200b \u2060", "--dry-run")


@pytest.mark.usefixtures("watch")
def test_the_new_ads_of_a_watch_are_asked_for_but_those_that_have_such_a_variant() -> None:
    left_out = "1 new ad of it has a variant of this prompt already."
    request = ("request", "--watch", "hubspot", "-p")
    assert told(*request, "Red", "--dry-run") == (
        f"{left_out} 2 generations; nothing was requested."
    )
    assert told(*request, "Blue", "--dry-run").startswith("3 generations;")
    assert told(*request, " Red", "--yes") == f"{left_out} Requested 2, 3: {LATER}"
    assert {row["original_ad_id"] for row in listed("--limit", "2")} == {AD, THIRD}
    again = told("request", "--watch", "1", "-p", "Red")
    assert again == "3 new ads of it have a variant of this prompt already. " + (
        "0 generations; nothing was requested."
    )
    assert len(listed()) == 3


@pytest.mark.usefixtures("watch")
def test_a_program_gets_its_line_of_json_and_nothing_else() -> None:
    assert given("request", AD, "-p", "Sea") == {
        "variants": [2], "started": 0, "generations": 1, "notes": [],
    }  # fmt: skip
    asked = run("request", "--watch", "hubspot", "-p", "Red", "--json", typed="y\n")
    assert asked.stderr.startswith("2 generations, each paid for. Request them?")
    # The runner shows on standard output what was typed.
    assert json.loads(asked.stdout.removeprefix(" y\n")) == {
        "schema": "variants-requested/1", "variants": [3, 4], "started": 0, "generations": 2,
        "notes": ["1 new ad of it has a variant of this prompt already."],
    }  # fmt: skip
    nothing = given("request", "--watch", "hubspot", "-p", "Red")
    assert nothing.pop("notes") == ["3 new ads of it have a variant of this prompt already."]
    assert nothing == {"variants": [], "started": 0, "generations": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "original_ad_ids: name ads, or a watch with --watch; one of them."),
        ((AD, "--watch", "w"), "original_ad_ids: name ads, or a watch with --watch; one of them."),
        (("--watch", "w"), "There is no watch 'w'"),
        ((AD, "-p", " "), "prompt: is empty"),
        (("CR1",), "original_ad_ids: no ad CR1 is stored; an ad id is CR and 20 digits, as in the"),
        ((AD, "CR\udcff"), "original_ad_ids: holds a NUL or half a character"),
        ((AD, "CR1"), "original_ad_ids: no ad CR1 is stored"),  # told before it asks
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_request_writes_nothing(arguments: tuple[str, ...], message: str) -> None:
    for flags in ((), ("--dry-run",)):
        with pytest.raises(ConfigurationError) as raised:
            told("request", "-p", "Red", *arguments, *flags)
        assert str(raised.value).startswith(message)
    assert listed() == []


def test_the_remedies_are_commands_that_there_are() -> None:
    with pytest.raises(InvalidQueryError, match=r"with: adspark fetch AR…$"):
        told("request", f"CR{77:020d}", "-p", "Red")
    assert told("list") == "There are no variants; request one with: adspark variant request"
    for command in (["fetch"], ["variant", "request"]):
        usage = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*command, "--help"]).stdout
        assert "_ids]..." in usage


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--status=failed"], "--status failed"),
        (["--user=55", f"--ad={OTHER.lower()}"], f"--user 55, --ad {OTHER}"),
    ],
)
def test_a_list_in_which_none_matches_says_what_was_asked(arguments: list[str], asked: str) -> None:
    told("request", AD, "-p", "Red")
    said = told("list", *arguments)
    assert said == f"No variant matches {asked}; all of them: adspark variant list"


def test_what_is_no_ad_id_is_refused_in_a_list() -> None:
    refused = run("list", "--ad=CR1")
    assert refused.exit_code == 2
    assert "'CR1' is not an ad id: CR and 20 digits" in " ".join(refused.stderr.split())


def test_the_list_fits_a_terminal(database_url: str) -> None:
    completed(database_url, is_too_close=True, picture_similarity=0.95)
    told("request", AD, "-p", "A much longer prompt than a line of a table can ever hold")
    told("request", OTHER, "-p", "Averylongwordwithoutanyspace")
    told("request", OTHER, "-p", "夏の広告にしてください、青い空と海の写真を使って")
    result = run("list")
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    shown = [" ".join(line.split()) for line in lines]
    for row in (
        ("1 completed CR0000…0001 100% 95% ! 0 min", "A | red [one]"),
        (
            "2 pending CR0000…0001 – – 0 min",
            "A much longer prompt than a line of a table can ever hold",
        ),
        ("3 pending CR0000…0002 – – 0 min", "Averylongwordwithoutanyspace"),
        ("4 pending CR0000…0002 – – 0 min", "夏の広告にしてください、青い空と海の写真を使って"),
    ):
        assert row in list(itertools.pairwise(shown))
    assert shown[-1] == "! too close to its original"


def test_the_list_names_the_reviews_that_wait_for_a_person(database_url: str) -> None:
    def waiting(*arguments: str) -> list[int]:
        found: list[int] = given("list", *arguments)["reviews_waiting"]
        return found

    assert [completed(database_url), completed(database_url)] == ["1", "2"]
    assert "to be done" not in told("list")  # nobody has requested a review
    in_session(database_url, lambda session: session.execute(text(
        "UPDATE ad_variant SET wants_review = true"
    )))  # fmt: skip
    said = told("list", "--limit", "1")
    assert said.endswith("2 reviews to be done: 1, 2; for one: adspark variant review 1")
    assert (waiting(), waiting("--user", "99")) == ([1, 2], [])
    told("review", "1", "--rating", "4")  # which decides nothing
    assert waiting() == [1, 2]
    told("review", "1", "--approve")
    assert told("list").endswith("1 review to be done: 2; for one: adspark variant review 2")


def test_large_numbers_fit_a_terminal_too(database_url: str) -> None:
    in_session(database_url, lambda session: session.execute(text(
        "INSERT INTO ad_variant (id, original_ad_id, user_id, status, prompt, confidence_score, "
        "picture_similarity, is_too_close, requested_at) OVERRIDING SYSTEM VALUE "
        f"VALUES (123456, '{AD}', 1, 'processing', 'Make it a summer', 0.8, 1, true, "
        "now() - interval '119 minutes')"
    )))  # fmt: skip
    lines = run("list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    assert "123456 processing CR0000…0001 Make it a summer 80% 100% ! 119 min" in said


def test_a_list_holds_what_fits(database_url: str) -> None:
    async def act(session: AsyncSession) -> None:
        for status in VariantStatus:
            await make(session, status)
        await ask(session, OTHER, user_id=2)

    in_session(database_url, act)
    for status in VariantStatus:
        assert {row["status"] for row in listed("--status", status)} == {status}
    assert [row["id"] for row in listed("--user", "2")] == [6]
    assert [row["id"] for row in listed("--ad", OTHER)] == [6]
    assert [row["id"] for row in listed("--limit", "2")] == [6, 5]
    assert listed("--status", "pending", "--ad", AD, "--user", "2") == []
    assert "2 processing" not in told("list", "--status", "completed")
    assert "too close" not in told("list")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--status", "done"), ("list", "--limit", "0"), ("list", "--user", "99999999999"),
        ("list", "--limit", "9" * 20), ("stats", "--user", "0"), ("show", "one"), ("request", AD),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_is_no_call_is_told_with_the_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert f"adspark variant {arguments[0]} -h" in result.stderr


def test_one_is_shown_with_pictures_copy_and_reviews(database_url: str) -> None:
    number = completed(database_url, text_similarity=0.5, problem="the copy is short")
    told("review", number, "--approve", "--rating", "4", "--comment", "good [b] | one", "--user=5")
    told("review", number, "--reject", "--user", "6")
    result = run("show", number)
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0] == f"Variant 1 of {AD}: completed"
    for line in (
        "  prompt      A | red",
        "              [one]",
        "  user        1",
        "  attempt     1, dify",
        "  workspace   3",
        "  confidence  100%",
        "  similarity  picture 10%, copy 50%",
        "  mind        the copy is short",
        "  Summer",
        "  Sun",
    ):
        assert line in lines
    said = " ".join(result.stdout.split())
    assert "5 approved 4 good [b] | one" in said
    assert "6 rejected – –" in said
    assert max(map(len, lines[lines.index("Reviews") :])) <= 80
    shown = given("show", number)
    assert (shown["id"], shown["title"], shown["workspace_id"]) == (1, "Summer", 3)
    assert [(one["user_id"], one["rating"]) for one in shown["reviews"]] == [(5, 4), (6, None)]


def test_words_from_outside_give_the_terminal_no_orders(database_url: str) -> None:
    number = completed(database_url, description="Sun\x1b[2J\x07\r\n\x9b31mSea", problem="a\x1bb")
    told("request", AD, "-p", "\x1b]0;title\x07Red")
    told("review", number, "--comment", "\x1b[2Jgood")

    async def act(session: AsyncSession) -> None:
        await fail(session, await ask(session), TimeoutError("\x1b[2Jslow"))

    in_session(database_url, act)
    for arguments in (("show", number), ("show", "2"), ("show", "3"), ("list",), ("stats",)):
        said = run(*arguments).stdout
        assert not set(said) & set("\x07\r\x1b\x9b"), arguments
    assert "Sun [2J" in told("show", number)


def test_a_picture_is_opened_by_its_place(database_url: str) -> None:
    number = completed(database_url)
    assert Path(told("open", number)).read_bytes() == OTHER_PICTURE
    assert Path(told("open", number, "--original")).read_bytes() == PICTURE


def test_what_has_no_picture_is_not_opened(database_url: str) -> None:
    told("request", AD, "-p", "Red")

    async def act(session: AsyncSession) -> None:
        await fail(session, await ask(session), TimeoutError("It took too long."))
        await finish(session, await ask(session), image_path=None, problem="it has no picture")

    in_session(database_url, act)
    for number, reason in {
        "1": "variant 1 is pending.",
        "2": "variant 2 failed: It took too long.",
        "3": "variant 3 completed: confidence 100%; it has no picture.",
    }.items():
        for original in ((), ("--original",)):
            with pytest.raises(UnusableContentError) as raised:
                told("open", number, *original)
            assert str(raised.value) == f"There is no such picture: {reason}"


def test_one_that_has_ended_badly_is_retried_by_a_person(database_url: str) -> None:
    async def act(session: AsyncSession) -> None:
        await fail(session, await accept(session, await ask(session)), TimeoutError("slow"))
        await fail(session, await ask(session), GenerationFailedError("the run failed"))
        await VariantState(session, await ask(session)).cancel()
        for _ in range(2):  # before they were submitted
            await fail(session, await ask(session), TimeoutError("slow to render"))

    in_session(database_url, act)
    assert [row["retry_is_paid"] for row in listed()] == [True, True, True, True, False]
    same, new = "the same generation, resumed", "a new generation"
    for number, costs in {"1": same, "2": new, "3": new, "4": new}.items():
        assert told("retry", number) == f"Variant {number}: {costs}. Requested {number}: {LATER}"
    assert given("retry", "5")["is_new_generation"] is True
    assert [(row["status"], row["attempt"], row["retry_is_paid"]) for row in listed()] == [
        ("pending", 1, None),
        ("pending", 1, None),
        ("pending", 2, None),
        ("pending", 2, None),
        ("pending", 1, None),
    ]
    with pytest.raises(UnknownVariantError, match="Variant 1 is pending; only failed and canc"):
        told("retry", "1")


def test_a_variant_is_cancelled_also_where_no_stack_runs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(session: AsyncSession) -> None:
        await ask(session)
        for _ in range(2):
            await accept(session, await ask(session))

    in_session(database_url, act)
    assert told("cancel", "1") == "Variant 1 is cancelled."
    assert told("cancel", "1") == "Variant 1 is not open any more; nothing to cancel."
    said = run("cancel", "2")
    assert "Variant 2 is cancelled." in said.stdout
    assert "1 generation submitted before may go on: no stack runs" in said.stderr
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    (problem,) = given("cancel", "3")["problems"]
    assert "1 generation submitted before may go on: Prefect's server at http" in problem
    assert [row["status"] for row in listed()] == ["cancelled"] * 3


def test_a_variant_that_breaks_rules_is_approved_with_a_reason(database_url: str) -> None:
    number = completed(database_url, rule_check=BROKEN)
    with pytest.raises(InvalidQueryError, match=r"--overrule: .*on the command line: --overr"):
        told("review", number, "--approve")
    with pytest.raises(InvalidQueryError, match="--overrule: "):
        told("review", number, "--approve", "--overrule", "\u200b \u2060")
    assert given("show", number)["reviews"] == []
    assert "broken: how many checks of brand rules failed; see adspark variant show ID" in told(
        "list"
    )
    assert "0 min 1" in told("list")
    said = told("show", number)
    assert "banned words copy failed 'free' in “get it free | <b>”" in said
    assert "banned words picture not checked RapidOCR is not installed" in said
    assert "1 passed, 1 failed, 1 not checked (rules: workspace version 3, user 1 ver" in said
    told("review", number, "--approve", "--overrule", "Agreed [b]")
    (one,) = given("show", number)["reviews"]
    assert (one["is_approved"], one["overrule_reason"]) == (True, "Agreed [b]")
    assert "rules overruled: Agreed [b]" in told("show", number)


def test_a_review_by_a_number_of_which_nothing_is_stored_is_kept_with_a_warning(
    database_url: str,
) -> None:
    number = completed(database_url)
    said = run("review", number, "--approve", "--user=99")
    assert said.stdout.strip() == f"Variant {number} is approved by user 99."
    assert "Warning: User 99 is new here: nothing of theirs was stored before" in said.stderr
    assert run("review", number, "--reject", "--user=99").stderr == ""
    assert run("review", number, "--approve").stderr == ""


def test_a_variant_is_checked_by_the_rules_of_now(database_url: str, tmp_path: Path) -> None:
    number = completed(database_url, image_path=None)
    assert told("check", number).startswith("There are no brand rules; set some with")
    assert given("check", number)["check"] is None
    file = tmp_path / "brand.yaml"
    file.write_text("banned_words: [sun]\n")
    Command("rules").told("set", str(file))
    assert "banned words copy failed 'sun' in “summer sun”" in told("check", number)
    verdicts = given("check", number)["check"]["verdicts"]
    assert [one["verdict"] for one in verdicts] == ["failed", "not_checked"]
    with pytest.raises(InvalidQueryError, match="breaks 1 brand rule"):
        told("review", number, "--approve")


def test_a_check_without_rules_says_which_check_stays(database_url: str) -> None:
    number = completed(database_url, rule_check=BROKEN)
    checked_at = datetime.fromisoformat(given("show", number)["rule_check"]["checked_at"])
    assert told("check", number) == (
        f"There are no brand rules now; the check of {checked_at:%Y-%m-%d} stays; "
        "set some with: adspark rules set FILE"
    )
    assert given("check", number)["check"] is None
    assert len(given("show", number)["rule_check"]["verdicts"]) == 3


def test_a_review_keeps_all_that_is_said(database_url: str) -> None:
    number = completed(database_url)
    for arguments, word, kept in (
        (("--rating", "3"), "rated", (None, 3, None)),
        (("--comment", "more [red]"), "commented on", (None, 3, "more [red]")),
        (("--rating", "4", "--comment", "m"), "rated and commented on", (None, 4, "m")),
        (("--rating", "3", "--comment", ""), "rated", (None, 3, "")),
        (("--reject", "--comment", "no"), "rejected", (False, 3, "no")),
        (("--approve", "--rating", "5"), "approved", (True, 5, "no")),
    ):
        said = told("review", number, *arguments, "--user", "4")
        assert said == f"Variant {number} is {word} by user 4."
        (one,) = given("show", number)["reviews"]
        assert (one["is_approved"], one["rating"], one["comment"]) == kept


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "decision: approve or reject it, rate it, or write a comment."),
        (("--accept-closeness",), "--accept-closeness: belongs to --approve; add it, or leave"),
        (("--reject", "--overrule", "Agreed"), "--overrule: belongs to --approve; add it, or"),
        (("--rating", "4", "--accept-closeness"), "--accept-closeness: belongs to --approve"),
        (("--comment", ""), "decision: approve or reject it"),
        (("--comment", " \u200b\n"), "decision: approve or reject it"),
        (("--approve",), "--accept-closeness: variant 1 is too close to its original"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_review_is_not_kept(
    database_url: str, arguments: tuple[str, ...], message: str
) -> None:
    number = completed(database_url, is_too_close=True)
    with pytest.raises(InvalidQueryError) as raised:
        told("review", number, *arguments)
    assert str(raised.value).startswith(message)
    assert given("show", number)["reviews"] == []


def test_what_is_too_close_is_approved_knowingly_or_rejected(database_url: str) -> None:
    number = completed(database_url, is_too_close=True)
    with pytest.raises(InvalidQueryError, match=r"on the command line: --accept-closeness\)"):
        told("review", number, "--approve")
    assert "is approved by" in told("review", number, "--approve", "--accept-closeness")
    assert given("stats")["approval_rate"] == 1
    assert "is rejected by user 1" in told("review", number, "--reject")
    assert given("stats")["approval_rate"] == 0


def test_only_what_is_completed_is_reviewed() -> None:
    told("request", AD, "-p", "Red")
    with pytest.raises(UnknownVariantError, match="Variant 1 is pending; only completed ones"):
        told("review", "1", "--approve")


def test_where_no_two_have_decided_nobody_is_said_to_agree_in_nothing() -> None:
    assert told("outcomes").endswith(
        "Whether reviewers agree is not known: no two decided on the same variant."
    )


def test_the_figures_tell_how_variants_fare(database_url: str) -> None:
    nothing = told("stats")
    assert nothing.startswith("variants 0 completed, 0 failed, 0 cancelled, 0 open too close 0")
    assert nothing.endswith("approved none reviewed rating none time none yet")
    long = "Dify's run failed at the node called LLM, and told at length how that had come."

    async def act(session: AsyncSession) -> None:
        for status in VariantStatus:
            await make(session, status, user_id=2)
        await fail(session, await ask(session), GenerationFailedError(long))

    in_session(database_url, act)
    told("review", completed(database_url), "--approve", "--rating", "4")
    result = run("stats")
    assert max(map(len, result.stdout.splitlines())) <= 80
    said = " ".join(result.stdout.split())
    for part in (
        "variants 2 completed, 2 failed, 1 cancelled, 2 open",
        "approved 1 of 1: 100% (21% to 100%) rating 4.0 of 5 time 0 s, from claimed to completed",
        f"1 generation failed {long}",
        "1 timeout too slow",
    ):
        assert part in said
    assert "timeout" not in told("stats", "--user", "1")
    figures = given("stats", "--user", "2")
    assert (figures["variants"], figures["approved"], figures["failed"]) == (5, 0, 1)
    assert figures["failures"] == [{"kind": "TimeoutError", "variants": 1, "latest": "too slow"}]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "9"), 2, "There is no variant 9; see them with: adspark variant list"),
        (("open", "9"), 2, "There is no variant 9; see them with: adspark variant list"),
        (("retry", "9"), 2, "There is no variant 9; see them with: adspark variant list"),
        (("review", "9", "--approve"), 2, "There is no variant 9; see them with: adspark variant "
                                          "list"),
        (("request", "CR1", "-p", "Red"), 2, "original_ad_ids: no ad CR1 is stored; an ad id is CR "
         "and 20 digits, as in the ad's address in the Transparency Center; ids of stored ads: "
         "adspark ads search"),
        (("review", "9", "--approve", "--reject"), 2,
         "--approve: contradicts --reject; give one of them."),
        (("cancel", "9"), 2, "There is no variant 9; see them with: adspark variant list"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_an_error_is_one_line_on_standard_error(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["adspark", "variant", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err) == (
        code,
        "",
        f"Error: {message.format(home=get_settings().home)}\n",
    )


def test_prefect_is_not_needed_to_ask_look_and_review(database_url: str) -> None:
    number = completed(database_url)
    calls = [
        ["request", AD, "-p", "Red"], ["list"], ["show", number], ["open", number],
        ["review", number, "--approve"], ["stats"],
    ]  # fmt: skip
    script = (
        "import json, sys; from typer.testing import CliRunner\n"
        "from deployments.cli.main import app\n"
        "for call in json.loads(sys.argv[1]):\n"
        "    CliRunner().invoke(app, ['variant', *call], catch_exceptions=False)\n"
        "sys.exit('prefect' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(calls)],
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert done.returncode == 0
    assert [row["status"] for row in listed()] == ["pending", "completed"]


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize("more", [(), ("--dry-run",), (OTHER, "--yes")])
def test_a_prompt_longer_than_the_workflow_takes_is_refused_when_it_is_requested(
    more: tuple[str, ...],
) -> None:
    with pytest.raises(InvalidQueryError) as raised:
        told("request", AD, *more, "--prompt", "x" * 7999)
    assert str(raised.value).startswith(
        "prompt: 7999 characters; this workflow's input 'prompt' takes at most 2000."
    )
    assert listed() == []


@pytest.mark.usefixtures("workflow")
def test_a_prompt_that_just_fits_the_workflow_is_requested() -> None:
    told("request", AD, "--prompt", f" {'x' * 2000} ")
    assert len(listed()) == 1


@pytest.mark.usefixtures("workflow")
def test_where_the_workflow_cannot_be_asked_a_prompt_is_requested_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADSPARK_DIFY_URL", "http://127.0.0.1:9/v1")
    get_settings.cache_clear()
    told("request", AD, "--prompt", "x" * 7999)
    assert len(listed()) == 1
    with pytest.raises(InvalidQueryError, match="prompt: 20001 characters; at most 20000"):
        told("request", AD, "--prompt", "x" * 20_001)


@pytest.mark.usefixtures("workflow")
def test_a_retry_that_would_be_refused_is_refused_at_once(database_url: str) -> None:
    async def act(session: AsyncSession) -> str:
        failed = await fail(
            session,
            await begin(session, await ask(session, prompt="x" * 2001)),
            GenerationFailedError("it failed"),
        )
        return str(failed.id)

    number = in_session(database_url, act)
    with pytest.raises(InvalidQueryError, match="prompt: 2001 characters"):
        told("retry", number)
    assert listed()[0]["status"] == VariantStatus.FAILED


def test_a_watch_without_news_says_why_nothing_is_asked_for(database_url: str) -> None:
    CliRunner().invoke(app, ["watch", "create", "shoes", "--text=example.com"])
    said = told("request", "--watch", "shoes", "-p", "Red", "--dry-run")
    assert "has no new ads: what its first look found is known from the start, and no " in said
    assert said.endswith("adspark variant request CR… 0 generations; nothing was requested.")
    assert given("request", "--watch", "shoes", "-p", "Red", "--dry-run")["generations"] == 0
    theirs = told("request", "--watch", "shoes", "-p", "Red", "--dry-run", "--user", "2")
    assert "adspark variant request CR… --user 2 0 generations" in theirs


@pytest.mark.parametrize(
    "arguments",
    [
        ["variant", "review", "1", "--approve", "--reject"],
        ["watch", "change", "1", "--political-ads", "--all-ads"],
        ["watch", "create", "a", "--all-ads", "--political-ads"],
        ["resume", "default", "--skip-late", "--catch-up"],
    ],
    ids=" ".join,
)
def test_options_that_contradict_each_other_are_refused(arguments: list[str]) -> None:
    raised = CliRunner().invoke(app, arguments).exception
    assert isinstance(raised, InvalidQueryError)
    assert "contradicts --" in str(raised)
