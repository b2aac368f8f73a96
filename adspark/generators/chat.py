"""Variants from any OpenAI-compatible chat endpoint, so that a local model serves without a Dify.

Source: https://platform.openai.com/docs/api-reference/chat/create. Such an endpoint keeps no record
of its requests, so an answer that was lost cannot be found again: the request fails and says so,
and a person decides whether to pay once more. A failure on the endpoint's side (5xx) is a lost
answer too, unless it says itself that the model did not get the request. Each request has an
Idempotency-Key, for gateways that keep one.
"""

import asyncio
import base64
from typing import Any

import httpx
from pydantic import JsonValue, SecretStr

from adspark.errors import (
    GenerationFailedError,
    InvalidCredentialsError,
    InvalidQueryError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.generators.answers.ad_copy import ends_early, read_copy
from adspark.generators.answers.pictures import list_pictures
from adspark.generators.base import Generated, GenerationObserver, GenerationRequest, RemoteRun
from adspark.generators.http import PROXY_GUESSES, PaidServiceClient, check_key
from adspark.net.bounded_responses import TooLargeError
from adspark.net.json_responses import parse_object
from adspark.text.redaction import quote, safe_cause
from adspark.text.sentences import with_full_stop

DEFAULT_TIMEOUT = 300.0  # seconds; a local model is slow
LONGEST_PROMPT = 20_000  # characters; a chat endpoint names no limit of its own
INSTRUCTIONS = (
    "You write variants of display ads. You get the picture of an ad and a wish. Answer with the "
    "variant's copy only: a headline on the first line, then one or two short sentences, then a "
    "call to action. Do not explain."
)
_MOST_QUOTED = 10_000  # bytes of an answer in which its own words are looked for
_LONGEST_ID = 200  # characters of what an endpoint calls an answer
# Kinds of parts of a message that are its copy; others are thoughts, or calls of tools.
_TEXTS = ("text", "output_text", "input_text")
# Parts of a message that hold neither copy nor picture.
_NOT_SHOWN = ("content", "reasoning", "reasoning_content", "reasoning_details", "tool_calls")
# Types of an error, as servers of models name them, that refuse a question before the model has it:
# the model is loading, or too many questions are waiting.
_BUSY = ("unavailable_error", "overloaded_error", "server_overloaded", "engine_overloaded_error")


class ChatGenerator(PaidServiceClient):
    """A generator over one model of a chat endpoint.

    Args:
        base_url: up to and with `/v1`.
        model: the model's name at the endpoint.
        key: the endpoint's key; None for one that wants none.
        instructions: the system message.
        sends_picture: whether the model can look at pictures.
        timeout: seconds for an answer.
        transport: what carries the requests, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        key: SecretStr | None = None,
        instructions: str = INSTRUCTIONS,
        sends_picture: bool = True,
        timeout: float = DEFAULT_TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._model = model
        self._instructions = instructions
        self._sends_picture = sends_picture
        self._timeout = timeout
        self._key = check_key(
            key,
            service="The chat endpoint",
            setting="ADSPARK_CHAT_KEY, or the block chat-model/adspark",
        )
        super().__init__(
            "ADSPARK_CHAT_URL",
            base_url,
            key=self._key,
            timeout=timeout,
            lost_after=timeout,
            transport=transport,
        )

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    async def check(self, prompt: str) -> None:
        if len(prompt) > LONGEST_PROMPT:
            raise InvalidQueryError(
                "prompt", f"{len(prompt)} characters; at most {LONGEST_PROMPT}. Shorten it."
            )

    async def generate(self, request: GenerationRequest, observer: GenerationObserver) -> Generated:
        if request.submitted_at is not None:
            raise GenerationFailedError(
                "The model got the request, and its answer was lost on the way; the endpoint keeps "
                "none. A retry costs another answer."
            )
        await observer.on_submit()
        await observer.on_progress(0.1, f"{self._model} writes")
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.post(
                    "chat/completions",
                    json=self._body(request),
                    headers={"Idempotency-Key": request.key},
                )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            await observer.on_refused()
            reason = str(error) or type(error).__name__
            raise ServiceUnavailableError(
                with_full_stop(f"The chat endpoint cannot be reached: {reason}"),
                command="check the network and its address (ADSPARK_CHAT_URL, or its block)",
            ) from safe_cause(error)
        except TooLargeError as error:
            raise GenerationFailedError(
                f"The chat endpoint's answer is too large: {error}."
            ) from safe_cause(error)
        except (TimeoutError, httpx.HTTPError) as error:
            raise GenerationFailedError(
                f"The chat endpoint took the question and gave no answer within "
                f"{self._timeout:g} s ({type(error).__name__})."
            ) from safe_cause(error)
        if _is_lost(response):
            raise GenerationFailedError(
                f"The chat endpoint failed on its side (HTTP {response.status_code}); whether the "
                f"model wrote an answer is not known, and the endpoint keeps none. A retry costs "
                f"another answer."
            )
        if not response.is_success:
            await observer.on_refused()
            self._check_redirect(response)
            raise _error_of(response)
        return _parse(response, self._key)

    async def cancel(self, remote_run: RemoteRun | None, *, key: str) -> None:
        """See `Generator.cancel`; an answer under way ends with its connection."""

    def _body(self, request: GenerationRequest) -> dict[str, JsonValue]:
        words = request.prompt
        if request.original_copy:
            words += f"\n\nCopy of the original ad:\n{request.original_copy}"
        if request.rules:
            words += f"\n\nRules that the variant has to keep to:\n{request.rules}"
        content: list[JsonValue] = [{"type": "text", "text": words}]
        if self._sends_picture:
            picture = request.original
            encoded = base64.b64encode(picture.content).decode()
            address = f"data:{picture.media_type};base64,{encoded}"
            content.append({"type": "image_url", "image_url": {"url": address}})
        return {
            "model": self._model,
            "user": request.key,
            "messages": [
                {"role": "system", "content": self._instructions},
                {"role": "user", "content": content if self._sends_picture else words},
            ],
        }


def _parse(response: httpx.Response, key: SecretStr) -> Generated:
    body, choice = _first_choice(response, key)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    content = message.get("content")
    text = _text_of(content)
    copy = read_copy(text)
    attached = {name: value for name, value in message.items() if name not in _NOT_SHOWN}
    parts = content if isinstance(content, list) else []
    pictures = list_pictures([text, parts, attached, choice.get("images"), body.get("data")])
    reason = choice.get("finish_reason")
    is_cut_off = copy.is_cut_off or ends_early(reason)
    if copy.text is None and not pictures:
        raise GenerationFailedError(
            "The model was cut off before its copy began: the endpoint's bound on tokens is too "
            "low for it."
            if is_cut_off
            else "The chat endpoint's answer holds neither copy nor picture."
        )
    usage = body.get("usage")
    return Generated(
        copy.text,
        pictures[0] if pictures else None,
        {
            "generator": "chat",
            "id": _short(body.get("id")),
            "model": _short(body.get("model")),
            "total_tokens": usage.get("total_tokens") if isinstance(usage, dict) else None,
        },
        pictures[1:],
        is_cut_off=is_cut_off,
    )


def _first_choice(
    response: httpx.Response, key: SecretStr
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer and its first choice; empty where it has none."""
    body: Any = parse_object(response.content, secret=key)
    try:
        choice = body["choices"][0]
    except (LookupError, TypeError):
        return {}, {}
    return body, choice if isinstance(choice, dict) else {}


def _short(value: JsonValue) -> JsonValue:
    """What the endpoint calls something; anything else than a name is left out."""
    return value[:_LONGEST_ID] if isinstance(value, str) else None


def _text_of(content: Any) -> str:  # noqa: ANN401
    """The words of a message: a text, or the texts of a list of parts."""
    parts = content if isinstance(content, list) else [content]
    texts = [
        part.get("text")
        if isinstance(part, dict) and str(part.get("type") or "text").lower() in _TEXTS
        else part
        for part in parts
    ]
    return "\n\n".join(text.strip() for text in texts if isinstance(text, str)).strip()


def _is_lost(response: httpx.Response) -> bool:
    """Whether the model may have written an answer that did not arrive."""
    if response.status_code in PROXY_GUESSES:
        return True
    return response.is_server_error and not _is_refused_as_busy(response)


def _is_refused_as_busy(response: httpx.Response) -> bool:
    """Whether a failure says itself that the model did not get the request."""
    if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
        return False
    if "retry-after" in response.headers:
        return True
    error = (parse_object(response.content) or {}).get("error")
    return isinstance(error, dict) and error.get("type") in _BUSY


def _error_of(response: httpx.Response) -> Exception:
    status = response.status_code
    said = response.content[:_MOST_QUOTED].decode(errors="replace")
    words = quote(said) or f"HTTP {status}"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return InvalidCredentialsError(
            f"The chat endpoint does not accept the key (HTTP {status}). Correct "
            f"ADSPARK_CHAT_KEY, or the block chat-model/adspark."
        )
    if status == httpx.codes.TOO_MANY_REQUESTS:
        if "insufficient_quota" in said:
            return QuotaExhaustedError(f"The chat endpoint's quota is used up: {words}")
        return RateLimitedError("The chat endpoint asks to slow down (429).")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ServiceUnavailableError(f"The chat endpoint is busy (HTTP {status}).")
    return ServiceRefusedError(f"The chat endpoint refused the request (HTTP {status}): {words}")
