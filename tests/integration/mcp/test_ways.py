"""Both ways to the server: a process on standard input and output, and HTTP with the sign-in."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from adspark.db.engine import Database
from adspark.models import Role
from adspark.users.accounts import lock_account, save_password
from adspark.users.store import add_user
from benchmarks.ports import free_port
from tests.support.assistant import (
    ask,
    ask_in_vain,
    basic,
    open_assistant,
    open_http_assistant,
    serve_over_http,
    serving,
)
from tests.support.gallery import ACCOUNTS
from tests.support.library import ad, fill_library
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "deployments.cli.main", "mcp"]
MODES = ("auto", "legacy")  # of the protocol: with a handshake before 2026
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "show_budget", "arguments": {}},
}
ACCEPTS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def environment(home: Path, database_url: str) -> dict[str, str]:
    """That of a command on a test's database."""
    own = {
        "ADSPARK_HOME": str(home),
        "ADSPARK_DATABASE_URL": database_url,
        "PYTHONPATH": str(ROOT),
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
    return clean | own


@pytest.mark.parametrize("mode", MODES)
async def test_the_command_answers_on_standard_input_and_output(
    mode: str, database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    command = StdioServerParameters(
        command=COMMAND[0],
        args=COMMAND[1:],
        env=environment(tmp_path, database_url),
        cwd=tmp_path,
    )
    async with Client(stdio_client(command), mode=mode) as client:
        tools = [one.name for one in (await client.list_tools()).tools]
        found = await ask(client, "search_ads", words="summer sale")
        told = await ask_in_vain(client, "show_ad", ad="CR1")

    assert (len(tools), "spend" in tools) == (9, False)
    assert [one["ad_creative_id"] for one in found["found"]["page"]["ads"]] == [ad(2)]
    assert told.startswith("ad: no ad CR1 is stored")


async def test_the_command_answers_over_http(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--http",
        "--port",
        str(port),
        env=environment(tmp_path, database_url),
        cwd=tmp_path,
    )
    try:
        url = f"http://127.0.0.1:{port}/mcp"
        await asyncio.to_thread(wait_until, lambda: is_up(url))
        async with open_http_assistant(url) as client:
            found = await ask(client, "search_ads", words="summer sale")
    finally:
        process.terminate()
    code = await process.wait()

    assert [one["ad_creative_id"] for one in found["found"]["page"]["ads"]] == [ad(2)]
    assert code in (-signal.SIGTERM, 128 + signal.SIGTERM)


def is_up(url: str) -> bool:
    try:
        return post(url).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_by_a_signal_though_nobody_closes_its_input(
    number: int, database_url: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        COMMAND,
        env=environment(tmp_path, database_url),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where these tests run in the background, SIGINT is ignored, which would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "ping"}\n')
        process.stdin.flush()
        assert '"id":1' in process.stdout.readline()
        process.send_signal(number)
        process.wait(60)


def test_input_that_is_no_message_does_not_end_it_and_half_a_character_gets_an_answer(
    database_url: str, tmp_path: Path
) -> None:
    call = '"method": "tools/call", "params": {"name": "show_ad", "arguments": {"ad": "\\ud800"}}'
    ping = '"method": "ping"'
    lines = [f'{{"jsonrpc": "2.0", "id": 1, {ping}, "x": "{"x" * 5_000_000}"}}', "no message", ""]
    lines += [f'{{"jsonrpc": "2.0", "id": {n}, {what}}}' for n, what in ((2, call), (3, ping))]
    with subprocess.Popen(
        COMMAND,
        env=environment(tmp_path, database_url),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n".join([*lines, ""]))
        process.stdin.flush()
        answers = {one["id"]: one for one in (json.loads(process.stdout.readline()) for _ in "12")}
        process.stdin.close()
        process.wait(60)

    assert answers.keys() == {2, 3}
    assert answers[3]["result"] == {}


def test_on_a_terminal_it_says_what_it_waits_for(database_url: str, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        COMMAND,
        env=environment(tmp_path, database_url),
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL),
    ) as process:
        os.close(theirs)
        assert process.stderr
        assert process.stderr.readline().startswith("Waits for the program that starts it")
        process.terminate()
        process.wait(60)
    os.close(ours)


@contextmanager
def served(database_url: str, media: Path, *, closed: bool) -> Iterator[str]:
    with serve_over_http(
        serving(database_url, media, allows_spending=True), needs_sign_in=closed
    ) as url:
        yield url


async def add_accounts(database: Database) -> dict[str, int]:
    """An editor, Ana, and two readers, Bob and Zoë; their numbers by their names."""
    numbers = {}
    async with database.session() as session:
        for name, password in ACCOUNTS.items():
            role = Role.EDITOR if name == "Ana" else Role.READER
            numbers[name] = await add_user(session, name=name)
            await save_password(session, user_id=numbers[name], password=password, role=role)
        await session.commit()
    return numbers


@pytest.mark.parametrize("body", ["[]", "{}", "1", '{"jsonrpc": "2.0"}'])
def test_a_body_that_is_no_message_is_refused_in_a_sentence(
    database_url: str, tmp_path: Path, body: str
) -> None:
    with served(database_url, tmp_path, closed=False) as url:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        answer = httpx.post(url, content=body, headers=headers, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("The body is no message of the Model")
    assert "pydantic" not in answer.text


async def test_over_http_everybody_asks_where_only_this_machine_can(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    over_http = []
    with served(database_url, tmp_path, closed=False) as url:
        for mode in MODES:
            async with open_http_assistant(url, mode=mode) as client:
                over_http.append(await ask(client, "search_ads", words="summer sale"))
                tools = [one.name for one in (await client.list_tools()).tools]
                assert (len(tools), tools[-1]) == (10, "spend")
        foreign = httpx.post(
            url, json=CALL, headers={**ACCEPTS, "Origin": "https://evil.example.com"}
        )
        rebound = httpx.post(url, json=CALL, headers={**ACCEPTS, "Host": "evil.example.com"})
        large = httpx.post(url, content=b" " * 1_100_000, headers=ACCEPTS)
    async with open_assistant(serving(database_url, tmp_path)) as client:
        in_process = await ask(client, "search_ads", words="summer sale")

    assert over_http == [in_process, in_process]
    assert (foreign.status_code, rebound.status_code, large.status_code) == (403, 403, 413)


async def test_over_http_people_sign_in_and_only_editors_may_spend(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    numbers = await add_accounts(database)
    with served(database_url, tmp_path, closed=True) as url:
        for name, may_spend in (("Ana", True), ("Zoë", False)):
            async with open_http_assistant(url, basic(name, ACCOUNTS[name])) as client:
                tools = [one.name for one in (await client.list_tools()).tools]
                assert ("spend" in tools) is may_spend
                arguments = {"act": "look_up_details", "ads": [ad(3)]}
                if may_spend:
                    price = await ask(client, "spend", **arguments)
                    assert price["found"]["spending"]["searches_at_most"] == 1
                else:
                    told = await ask_in_vain(client, "spend", **arguments)
                    assert told == "spend: Zoë may look, but not spend; ask an editor."
                earlier = post(url, name, ACCOUNTS[name], method="tools/list", params={}).json()
                listed = [one["name"] for one in earlier["result"]["tools"]]
                assert ("spend" in listed) is may_spend  # also by the protocol's former versions
        async with database.session() as session:
            await lock_account(session, user_id=numbers["Zoë"])
            await session.commit()
        answers = [post(url), post(url, "Bob", "wrong"), post(url, "Zoë", ACCOUNTS["Zoë"])]

    assert [one.status_code for one in answers] == [401, 401, 401]
    assert answers[0].headers["www-authenticate"] == 'Basic realm="AdSpark", charset="UTF-8"'
    assert "name and password of the gallery" in answers[0].json()["detail"]


async def test_wrong_passwords_are_as_many_as_at_the_gallery(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await add_accounts(database)
    with served(database_url, tmp_path, closed=True) as url:
        wrong = [post(url, "Ana", "anchors and tulips").status_code for _ in range(10)]
        right = post(url, "Ana", ACCOUNTS["Ana"])

    assert wrong == [401] * 10
    assert right.status_code == 429
    assert 800 < int(right.headers["retry-after"]) <= 900


def post(url: str, *who: str, **changes: Any) -> httpx.Response:  # noqa: ANN401
    """A call of a program, with name and password where they are given."""
    headers: dict[str, Any] = ACCEPTS | (basic(*who) if who else {})
    return httpx.post(url, json=CALL | changes, headers=headers, timeout=30)
