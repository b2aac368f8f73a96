"""What nobody has set, or nothing can use, stops the start of the containers and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.docker.configuration import find_wrong_secrets

GOOD = {
    "POSTGRES_PASSWORD": "0f3a9c5be1d24478",
    "REDIS_PASSWORD": "b71e5f0d24a3c968",
    "PREFECT_SERVER_API_AUTH_STRING": "operator:correct-horse",
    "ADSPARK_SERPAPI_KEY": "d41d8cd98f00b204e9800998ecf8427e",
}


def test_secrets_of_ones_own_are_taken() -> None:
    assert find_wrong_secrets(GOOD) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_PASSWORD", "todomundo-Xk2.93_a"),
        ("PREFECT_SERVER_API_AUTH_STRING", "metodo:a-long-word-of-ours"),
        ("PREFECT_SERVER_API_AUTH_STRING", "anna@example.org:a-long-word-of-ours"),
        ("PREFECT_SERVER_API_AUTH_STRING", "admin:kT9:with-a-colon"),
        ("ADSPARK_SERPAPI_KEY", "sandbox-key"),
        ("ADSPARK_DIFY_KEY", "app-sandbox"),
        ("ADSPARK_DIFY_KEY", ""),
    ],
)
def test_a_secret_that_only_looks_like_a_placeholder_is_taken(name: str, value: str) -> None:
    assert find_wrong_secrets(GOOD | {name: value}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTGRES_PASSWORD", "changeme-changeme"),
        ("POSTGRES_PASSWORD", "postgres"),
        ("REDIS_PASSWORD", "redis"),
        ("POSTGRES_PASSWORD", "your-own-password"),
        ("PREFECT_SERVER_API_AUTH_STRING", "admin:admin123"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:password"),
        ("PREFECT_SERVER_API_AUTH_STRING", "name:change-me"),
        ("PREFECT_SERVER_API_AUTH_STRING", "name:********"),
        ("ADSPARK_SERPAPI_KEY", "<your key>"),
        ("ADSPARK_SERPAPI_KEY", "YOUR_API_KEY"),
        ("ADSPARK_SERPAPI_KEY", "SERPAPI_KEY"),
        ("ADSPARK_SERPAPI_KEY", "insert-your-key-here"),
        ("ADSPARK_SERPAPI_KEY", "xxxxxxxxxxxx"),
        ("ADSPARK_DIFY_KEY", "app-..."),
        ("ADSPARK_DIFY_KEY", "app-xxxxxxxx"),
        ("ADSPARK_CHAT_KEY", "sk-…"),
    ],
)
def test_a_placeholder_is_named_and_not_shown(name: str, value: str) -> None:
    found = find_wrong_secrets(GOOD | {name: value})
    assert found[0] == f"{name}: is still a placeholder; set it in .env to a value of your own."
    assert value not in found[0].removeprefix(name)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("POSTGRES_PASSWORD", "with spaces and / in it", "is 12 letters, digits"),
        ("POSTGRES_PASSWORD", "2short", "is 12 letters, digits"),
        ("REDIS_PASSWORD", "with:colon@and/slash", "is 12 letters, digits"),
        ("REDIS_URL", "redis://elsewhere.example:6379", "REDIS_HOST, REDIS_PORT"),
        ("PREFECT_SERVER_API_AUTH_STRING", "onlyaword-of-ours", "is name:password"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:2short", "at least 8 characters"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:pässword-of-ours", "is of printable ASCII"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:two words", "without blanks"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:word$of$ours", "backslashes, # and $"),
        ("PREFECT_SERVER_API_AUTH_STRING", "operator:word\\of'ours", "blanks, quotes, backslashes"),
    ],
)
def test_a_secret_of_the_wrong_form_is_named(name: str, value: str, told: str) -> None:
    (found,) = find_wrong_secrets(GOOD | {name: value})
    assert found.startswith(f"{name}: ")
    assert told in found
    assert value not in found


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """The service `configuration`, with these variables and secrets of one's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADSPARK_")}
    return subprocess.run(
        [sys.executable, "-m", "deployments.docker.configuration"],
        env=kept | GOOD | variables | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
    )


def test_a_good_configuration_lets_the_start_go_on() -> None:
    started = start(ADSPARK_SEARCHES_PER_MINUTE="12", ADSPARK_NOTIFY_ADDRESSES="")
    assert (started.returncode, started.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADSPARK_SEARCHES_PER_MINUTE", "ten"),
        ("ADSPARK_DIFY_URL", "dify.example/v1"),
        ("ADSPARK_NOTIFY_ADDRESSES", "no-service://secret-word"),
    ],
)
def test_a_setting_that_nothing_can_use_stops_the_start_and_is_named(name: str, value: str) -> None:
    started = start(**{name: value})
    assert started.returncode == 1
    assert started.stderr.startswith(f"{name}: ")
    assert "environment" not in started.stderr  # people write it into .env
    assert "secret-word" not in started.stderr


def test_all_settings_that_nothing_can_use_are_named_at_once() -> None:
    started = start(ADSPARK_SEARCHES_PER_MINUTE="ten", ADSPARK_RENDER_SCALE="9")
    names = [line.partition(":")[0] for line in started.stderr.splitlines()]
    assert names == ["ADSPARK_SEARCHES_PER_MINUTE", "ADSPARK_RENDER_SCALE"]
    assert started.stderr.count("Correct it in .env.") == 2
