"""JSON from outside: bounded, storable, and one odd value costs no other."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adspark.net.json_responses import UnreadableJsonError, parse_json

NESTED = b'{"a": ' + b"[" * 900 + b"]" * 900 + b', "b": 1}'


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b'{"a": NaN}', {"a": "NaN"}),
        (b"[Infinity, -Infinity, 1e999, -1e999]", ["Infinity", "-Infinity", "1e999", "-1e999"]),
        (b'["a\\u0000b", "\\ud800", "\\ud83d\\ude00"]', ["a\ufffdb", "\ufffd", "\U0001f600"]),
        (b'{"\\u0000": 1}', {"\ufffd": 1}),
        (b'"\xff\xfe"', "\ufffd\ufffd"),
        (b"\xef\xbb\xbf1", 1),
        (b"1.5", 1.5),
        (b"12345678901234567890", 12345678901234567890),
    ],
)
def test_what_no_database_holds_arrives_as_text(sent: bytes, read: object) -> None:
    assert parse_json(sent) == read


def test_a_number_of_any_length_costs_nothing_else() -> None:
    read = parse_json(b'{"a": ' + b"9" * 10_000 + b', "b": 1}')
    assert isinstance(read, dict)
    assert read["b"] == 1
    assert read["a"] == "9" * 40


def test_what_lies_too_deep_is_left_out_and_the_rest_is_kept() -> None:
    read = parse_json(NESTED)
    assert isinstance(read, dict)
    assert read["b"] == 1
    assert "nested too deep" in json.dumps(read["a"])


@pytest.mark.parametrize(
    "sent", [b"", b"<html>", b'{"a"', b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000]
)
def test_what_is_no_json_is_said_to_be_none(sent: bytes) -> None:
    with pytest.raises(UnreadableJsonError):
        parse_json(sent)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_every_document_becomes_strict_json_in_utf8(value: object) -> None:
    read = parse_json(json.dumps(value).encode())
    assert "\x00" not in json.dumps(read, allow_nan=False, ensure_ascii=False).encode().decode()


@pytest.mark.parametrize("key", ["EMPTY", "free", "app-1"])
def test_a_short_key_is_masked_as_a_credential_and_not_as_a_word(key: str) -> None:
    told = {"text": f"{key} shipping", "api_key": key, "url": f"https://x.example/?key={key}"}
    read = parse_json(json.dumps(told).encode(), secret=SecretStr(key))
    masked = {"api_key": "***", "url": "https://x.example/?key=***"}
    assert read == told | masked
