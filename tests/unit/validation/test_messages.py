"""Mistakes in values, in our words: none of pydantic's wording is left."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import pytest
from prefect import flow
from pydantic import AnyHttpUrl, BaseModel, Field, TypeAdapter, ValidationError, create_model

from adspark.errors import ConfigurationError
from adspark.models import Platform
from adspark.settings import get_settings
from adspark.validation.messages import describe_validation_error
from flows.fetch_creatives import fetch_creatives
from orchestration.runs.parameter_errors import find_mistakes


class Colour(StrEnum):
    RED = "red"


class Strict(BaseModel, extra="forbid"):
    a: int = 1


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (int, "many", "is not a whole number"),
        (int, 1.5, "is not a whole number"),
        (int, None, "is not a whole number"),
        (float, "x", "is not a number"),
        (bool, "perhaps", "is neither true nor false"),
        (str, 7, "is not a text"),
        (list[int], "x", "is not a list"),
        (dict[str, int], "x", "is not a mapping of names to values"),
        (date, "tomorrow", "is not a day; write it as 2026-01-31"),
        (date, "2026-01-31T08:00:01Z", "is a time, not a day; write it as 2026-01-31"),
        (datetime, "soon", "is not a time; write it as 2026-01-31T08:00:00Z"),
        (UUID, "17", "is not an id"),
        (AnyHttpUrl, "ftp://x", "is not an address that begins with 'http' or 'https'"),
        (AnyHttpUrl, "", "is not an address"),
        (Colour, "blue", "is none of 'red'"),
        (Literal["dify", "chat"], "x", "is none of 'dify' or 'chat'"),
        (Platform, "TV", "is none of 'PLAY', 'MAPS', 'SEARCH', 'SHOPPING' or 'YOUTUBE'"),
        (Strict, {"b": 1}, "is not known here; remove it"),
        (create_model("One", a=(int, ...)), {}, "is missing"),
        (create_model("Short", a=(str, Field(max_length=1))), {"a": "xy"},
         "is longer than 1 characters"),
        (create_model("Big", a=(int, Field(ge=3))), {"a": 1}, "is less than 3"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_our_words(kind: Any, value: object, told: str) -> None:  # noqa: ANN401
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(kind).validate_python(value)
    assert describe_validation_error(raised.value.errors()[0]) == told
    without_context = raised.value.errors(include_context=False)[0]
    assert "{" not in describe_validation_error(without_context)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ADSPARK_SERPAPI_TIMEOUT", "soon", "ADSPARK_SERPAPI_TIMEOUT: is not a number. Correct"),
        ("ADSPARK_GENERATOR", "x", "ADSPARK_GENERATOR: is none of 'dify' or 'chat'. Correct it"),
        ("ADSPARK_BROWSER_SANDBOX", "x", "ADSPARK_BROWSER_SANDBOX: is neither true nor false. Co"),
        ("ADSPARK_PREFECT_PORT", "x", "ADSPARK_PREFECT_PORT: is not a whole number. Correct it"),
    ],
)
def test_a_setting_is_refused_in_our_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError) as raised:
        get_settings()
    get_settings.cache_clear()
    assert str(raised.value).startswith(told)


def test_a_flows_parameters_are_refused_in_our_words_and_quoted_nowhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    @flow(name="ending")
    def ending(watch_id: int, platform: Platform | None = None) -> None:
        """Do nothing."""

    told = list(find_mistakes(ending, {"watch_id": "s3cret", "platform": "TV"}))
    assert told == [
        "watch_id: is not a whole number; give it as 3.",
        "platform: is none of 'PLAY', 'MAPS', 'SEARCH', 'SHOPPING' or 'YOUTUBE'.",
    ]
    types = {"advertiser_ids": 7, "text": 7, "page_size": "many", "max_pages": [1]}
    assert list(find_mistakes(fetch_creatives, types)) == [
        'advertiser_ids: is not a list; give it as ["AR01234567890123456789"].',
        'text: is not a text; give it as "example.com".',
        "page_size: is not a whole number; give it as 3.",
        "max_pages: is not a whole number; give it as 3.",
    ]
    (unknown, _) = find_mistakes(ending, {"x" * 5000: 1})
    assert unknown == f"{'x' * 60}…: ending has no such parameter; it has watch_id, platform."
    said = capfd.readouterr()
    assert "s3cret" not in caplog.text + said.out + said.err
