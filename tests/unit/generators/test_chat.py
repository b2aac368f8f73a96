"""A chat endpoint as a generator: what it is asked, what its answers give, what is paid again."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    GenerationFailedError,
    InvalidCredentialsError,
    InvalidQueryError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.generators.base import Generated, GenerationRequest
from adspark.generators.chat import INSTRUCTIONS, LONGEST_PROMPT, ChatGenerator
from tests.support.chat_requests import REQUEST, Notes
from tests.support.jumping_clock import at_once

KEY = "sk-s3cr3t"
URL = "http://models.example:11434/v1"
COPY = "Summer is on.\n\nShop now!"
PNG = "https://cdn.example/ad.png"
DATA = "data:image/png;base64,iVBORw0KGgo="
Json = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]


def completion(message: Any, **more: Any) -> httpx.Response:  # noqa: ANN401
    """An answer with one message."""
    body = {"id": "c1", "model": "llava:7b", "choices": [{"message": message}]}
    return httpx.Response(200, json=body | {"usage": {"total_tokens": 321}} | more)


def chat(handler: Handler | httpx.Response | Exception, **values: Any) -> ChatGenerator:  # noqa: ANN401
    """A generator whose requests end in `handler`."""

    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(handler, Exception):
            raise handler
        return handler if isinstance(handler, httpx.Response) else handler(request)

    given: Json = {"model": "llava", "key": SecretStr(KEY)} | values
    return ChatGenerator(URL, transport=httpx.MockTransport(answer), **given)


async def generate(handler: Handler | httpx.Response, **values: Any) -> Generated:  # noqa: ANN401
    """What the request gives."""
    async with chat(handler, **values) as generator:
        return await generator.generate(REQUEST, Notes())


async def asked(request: GenerationRequest = REQUEST, **values: Any) -> httpx.Request:  # noqa: ANN401
    """The HTTP request that a generation's request becomes."""
    sent: list[httpx.Request] = []

    def answer(http_request: httpx.Request) -> httpx.Response:
        sent.append(http_request)
        return completion({"content": COPY})

    async with chat(answer, **values) as generator:
        await generator.generate(request, Notes())
    (only,) = sent
    return only


@pytest.mark.parametrize("key", ["EMPTY", "none", "test", "free", "local", "ollama"])
async def test_a_common_word_as_key_alters_no_copy(key: str) -> None:
    copy = f"Never come home {key}-handed.\n\n{key.title()} shipping: second to {key}!"
    made = await generate(
        completion({"content": copy}, model=f"{key}/llava"), key=SecretStr(key), model="llava"
    )
    assert (made.text, made.metadata["model"]) == (copy, f"{key}/llava")


async def test_the_model_gets_the_prompt_the_words_and_the_picture() -> None:
    request = await asked(replace(REQUEST, original_copy="Winter is on.", rules="Never: free"))
    assert str(request.url) == f"{URL}/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    wish = (
        "Make it a summer ad\n\nCopy of the original ad:\nWinter is on."
        "\n\nRules that the variant has to keep to:\nNever: free"
    )
    assert json.loads(request.content) == {
        "model": "llava",
        "user": "variant-7-1",
        "messages": [
            {"role": "system", "content": INSTRUCTIONS},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": wish},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,UE5H"}},
                ],
            },
        ],
    }


async def test_the_same_generation_has_the_same_idempotency_key() -> None:
    assert (await asked()).headers["idempotency-key"] == REQUEST.key


async def test_a_model_that_cannot_look_gets_a_text_and_instructions_of_ones_own() -> None:
    request = await asked(sends_picture=False, instructions="Rhyme.")
    assert json.loads(request.content)["messages"] == [
        {"role": "system", "content": "Rhyme."},
        {"role": "user", "content": "Make it a summer ad"},
    ]


@pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr("  ")])
async def test_an_endpoint_without_a_key_is_sent_none(key: SecretStr | None) -> None:
    assert "authorization" not in (await asked(key=key)).headers


@pytest.mark.parametrize(
    ("message", "text", "picture"),
    [
        pytest.param({"content": f"\n{COPY} "}, COPY, None, id="words"),
        pytest.param({"content": f"{COPY}\n\n![ad]({PNG})"}, COPY, PNG, id="an image in Markdown"),
        pytest.param({"content": f"![ad]({DATA})\n{COPY}"}, COPY, DATA, id="drawn into it"),
        pytest.param({"content": f"![ad]({DATA})"}, None, DATA, id="only a picture"),
        pytest.param(
            {"content": COPY, "images": [{"type": "image_url", "image_url": {"url": DATA}}]},
            COPY, DATA, id="an attached picture",
        ),
        pytest.param({"content": None, "images": [{"image_url": {"url": PNG}}]}, None, PNG,
                     id="nothing else"),
        pytest.param({"content": COPY, "images": [{"image_url": DATA}]}, COPY, DATA,
                     id="attached without an object around"),
        pytest.param({"content": COPY, "images": [None, {"b64": "x"}]}, COPY, None,
                     id="attached in a way nobody knows"),
        pytest.param({"content": [{"type": "text", "text": COPY}]}, COPY, None, id="a list of one"),
        pytest.param(
            {"content": [{"type": "text", "text": "Summer is on."},
                         {"type": "text", "text": " Shop now!\n"}]},
            COPY, None, id="a list of two",
        ),
        pytest.param(
            {"content": [{"type": "text", "text": COPY},
                         {"type": "image_url", "image_url": {"url": PNG}}]},
            COPY, PNG, id="a list with a picture",
        ),
        pytest.param({"content": [{"type": "thinking"}, None, COPY]}, COPY, None,
                     id="a list with what nobody knows"),
    ],
)  # fmt: skip
async def test_copy_and_picture_are_found_in_the_answer(
    message: Json, text: str | None, picture: str | None
) -> None:
    made = await generate(completion(message))
    assert (made.text, made.picture) == (text, picture)
    assert made.metadata == {
        "generator": "chat", "id": "c1", "model": "llava:7b", "total_tokens": 321,
    }  # fmt: skip


async def test_an_answer_without_figures_is_one_all_the_same() -> None:
    response = httpx.Response(200, json={"choices": [{"message": {"content": COPY}}]})
    made = await generate(response)
    assert made.text == COPY
    assert made.metadata["total_tokens"] is None


@pytest.mark.parametrize("reason", ["length", "MAX_TOKENS", "content_filter"])
async def test_an_answer_that_was_cut_off_says_so(reason: str) -> None:
    choice = {"message": {"content": "Summer is"}, "finish_reason": reason}
    made = await generate(httpx.Response(200, json={"choices": [choice]}))
    assert (made.text, made.is_cut_off) == ("Summer is", True)
    assert not (await generate(completion({"content": COPY}))).is_cut_off


async def test_parts_of_an_answer_that_are_thoughts_are_not_copy() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "text": "Hm."},
        {"type": "reasoning", "text": "Be short."},
        {"type": "output_text", "text": COPY},
    ]
    made = await generate(completion({"content": content, "reasoning_content": f"![]({PNG})"}))
    assert (made.text, made.picture) == (COPY, None)


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(completion({"content": ""}), id="no words"),
        pytest.param(completion({"content": " \n"}), id="blanks"),
        pytest.param(completion({"content": None}), id="null"),
        pytest.param(completion({"content": []}), id="an empty list"),
        pytest.param(completion({"refusal": "No."}), id="a refusal"),
        pytest.param(completion(None), id="no message"),
        pytest.param(httpx.Response(200, json={"choices": []}), id="no choices"),
        pytest.param(httpx.Response(200, json=[1]), id="a list"),
        pytest.param(httpx.Response(200, text="<h1>Welcome</h1>"), id="HTML"),
        pytest.param(httpx.Response(200, text='{"choices": ['), id="cut JSON"),
    ],
)
async def test_an_answer_that_holds_nothing_was_paid_and_has_failed(
    response: httpx.Response,
) -> None:
    notes = Notes()
    async with chat(response) as generator:
        with pytest.raises(GenerationFailedError, match="neither copy nor picture"):
            await generator.generate(REQUEST, notes)
    assert notes.lines == ["submitted"]


_QUOTA = {
    "error": {
        "message": "You exceeded your current quota. " + "Read the docs on it. " * 20,
        "code": "insufficient_quota",
    }
}


@pytest.mark.parametrize(
    ("response", "error", "message"),
    [
        pytest.param(httpx.ConnectError("refused"), ServiceUnavailableError, "reached: refused",
                     id="nobody listens"),
        pytest.param(httpx.ConnectTimeout(""), ServiceUnavailableError, "ConnectTimeout",
                     id="no way there"),
        pytest.param(httpx.PoolTimeout(""), ServiceUnavailableError, "PoolTimeout",
                     id="never sent"),
        pytest.param(httpx.Response(401, json={"error": f"Incorrect key {KEY}"}),
                     InvalidCredentialsError, "chat-model", id="the key is not known"),
        pytest.param(httpx.Response(403), InvalidCredentialsError, "HTTP 403", id="forbidden"),
        pytest.param(httpx.Response(404, json={"error": "model 'llava' not found"}),
                     ServiceRefusedError, "'llava' not found", id="no such model"),
        pytest.param(httpx.Response(400, json={"error": "context length"}), ServiceRefusedError,
                     "context length", id="too much"),
        pytest.param(httpx.Response(429, json={"error": {"code": "rate_limit_exceeded"}}),
                     RateLimitedError, "slow down", id="too fast"),
        pytest.param(httpx.Response(429, json=_QUOTA), QuotaExhaustedError, "used up",
                     id="nothing left, said at the end of many words"),
        pytest.param(httpx.Response(503, headers={"retry-after": "20"}), ServiceUnavailableError,
                     "HTTP 503", id="overloaded, and says when to come again"),
        pytest.param(httpx.Response(503, json={"error": {"type": "unavailable_error"}}),
                     ServiceUnavailableError, "HTTP 503", id="the model is loading"),
        pytest.param(httpx.Response(308, headers={"location": "https://models.example/v1"}),
                     ConfigurationError, "ADSPARK_CHAT_URL.*https://models", id="moved"),
    ],
)  # fmt: skip
async def test_what_was_refused_costs_nothing_and_says_so(
    response: httpx.Response | Exception, error: type[AdSparkError], message: str
) -> None:
    notes = Notes()
    async with chat(response) as generator:
        with pytest.raises(AdSparkError, match=message) as caught:
            await generator.generate(REQUEST, notes)
    assert type(caught.value) is error
    assert notes.lines == ["submitted", "refused"]
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        pytest.param(httpx.ReadTimeout(""), "ReadTimeout", id="no answer"),
        pytest.param(httpx.ReadError("reset"), "ReadError", id="cut"),
        pytest.param(httpx.RemoteProtocolError("bye"), "RemoteProtocolError", id="hung up"),
        pytest.param(httpx.Response(502, text="<h1>502</h1>"), "HTTP 502", id="a proxy's guess"),
        pytest.param(httpx.Response(504, text="<h1>504</h1>"), "HTTP 504", id="a proxy waited"),
        pytest.param(httpx.Response(524), "HTTP 524", id="Cloudflare waited"),
        pytest.param(httpx.Response(408), "HTTP 408", id="a proxy gave up"),
        pytest.param(httpx.Response(500, text="oops"), "HTTP 500", id="it failed, who knows when"),
        pytest.param(
            httpx.Response(500, json={"error": {"type": "server_error"}}),
            "HTTP 500",
            id="it failed, and says no more",
        ),
        pytest.param(httpx.Response(503), "HTTP 503", id="away, who knows since when"),
        pytest.param(
            httpx.Response(503, json={"error": {"type": "server_error"}}),
            "HTTP 503",
            id="away, and says no more",
        ),
        pytest.param(httpx.Response(529), "HTTP 529", id="a status of its own"),
    ],
)
async def test_an_answer_that_was_lost_may_have_been_paid_and_is_not_asked_for_again(
    response: httpx.Response | Exception, message: str
) -> None:
    notes = Notes()
    async with chat(response) as generator:
        with pytest.raises(GenerationFailedError, match=message):
            await generator.generate(REQUEST, notes)
    assert notes.lines == ["submitted"]


@at_once
async def test_a_model_that_takes_too_long_is_given_up() -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1e6)
        return completion({"content": COPY})

    notes = Notes()
    began = asyncio.get_running_loop().time()
    async with ChatGenerator(
        URL, model="llava", timeout=300, transport=httpx.MockTransport(answer)
    ) as generator:
        with pytest.raises(GenerationFailedError, match="no answer within 300 s"):
            await generator.generate(REQUEST, notes)
    assert asyncio.get_running_loop().time() - began == pytest.approx(300, abs=1)
    assert notes.lines == ["submitted"]


async def test_who_cannot_be_reached_is_known_before_an_answer_counts_as_lost() -> None:
    limits = (await asked(timeout=300)).extensions["timeout"]
    assert limits["connect"] + limits["pool"] < 30
    assert limits["read"] == 300


async def test_a_second_try_fails_without_asking() -> None:
    def never(_: httpx.Request) -> httpx.Response:
        raise AssertionError("asked again")

    notes = Notes()
    async with chat(never) as generator:
        with pytest.raises(GenerationFailedError, match="costs another answer"):
            await generator.generate(replace(REQUEST, submitted_at=datetime.now(UTC)), notes)
        await generator.cancel(None, key=REQUEST.key)
    assert notes.lines == []


async def test_asking_is_noted_before_the_model_is_asked() -> None:
    notes = Notes()

    def answer(_: httpx.Request) -> httpx.Response:
        notes.lines.append("asked")
        return completion({"content": COPY})

    async with chat(answer) as generator:
        await generator.generate(REQUEST, notes)
    assert notes.lines == ["submitted", "asked"]


async def test_a_prompt_too_long_is_refused_with_the_limit() -> None:
    async with chat(completion({})) as generator:
        await generator.check("x" * LONGEST_PROMPT)
        with pytest.raises(InvalidQueryError, match=f"prompt: 20001 characters.*{LONGEST_PROMPT}"):
            await generator.check("x" * (LONGEST_PROMPT + 1))


async def test_its_host_is_named_for_the_pictures_that_it_serves() -> None:
    async with chat(completion({})) as generator:
        assert generator.hosts == ("models.example:11434",)


async def test_logs_do_not_carry_the_key(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    await generate(completion({"content": COPY}))
    async with ChatGenerator("http://127.0.0.1:9/v1", model="x", key=SecretStr(KEY)) as generator:
        with pytest.raises(ServiceUnavailableError) as caught:
            await generator.generate(REQUEST, Notes())
    assert "chat/completions" in caplog.text
    assert KEY not in caplog.text + repr(caught.value)


@pytest.mark.parametrize("key", ["sk-s3cr3t\nX-More: 1", "sk-s3cr3té", "sk s3cr3t"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="ADSPARK_CHAT_KEY") as caught:
        ChatGenerator(URL, model="x", key=SecretStr(key))
    assert "s3cr3t" not in repr(caught.value)


@pytest.mark.parametrize("address", ["localhost:11434/v1", "ftp://x/v1", "", "http://x:y/v1"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_CHAT_URL"):
        ChatGenerator(address, model="x")
