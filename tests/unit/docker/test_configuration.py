"""Secrets that nobody has set stop the start of the containers; those of somebody's own do not."""

import pytest

from deployments.docker.configuration import problems

GOOD = {
    "POSTGRES_PASSWORD": "0f3a9c5be1d24478",
    "REDIS_PASSWORD": "b71e5f0d24a3c968",
    "PREFECT_SERVER_API_AUTH_STRING": "operator:correct-horse",
    "ADSPARK_SERPAPI_KEY": "d41d8cd98f00b204e9800998ecf8427e",
}


def test_secrets_of_ones_own_are_taken() -> None:
    assert problems(GOOD) == []


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
    assert problems(GOOD | {name: value}) == []


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
    found = problems(GOOD | {name: value})
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
    ],
)
def test_a_secret_of_the_wrong_form_is_named(name: str, value: str, told: str) -> None:
    (found,) = problems(GOOD | {name: value})
    assert found.startswith(f"{name}: ")
    assert told in found
    assert value not in found
