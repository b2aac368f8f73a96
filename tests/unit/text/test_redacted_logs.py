"""No password of Prefect's API is logged, in whatever form a library writes it."""

import base64
import logging

import pytest

from adspark.text.redaction import remember_environment

PASSWORD = "operator:correct-horse-battery"


@pytest.fixture
def _masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", PASSWORD)
    remember_environment()


@pytest.mark.usefixtures("_masked")
@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        (f"the password is {PASSWORD}", ()),
        ("%s %r", ("operator", PASSWORD)),
        ("> Authorization: Basic %s", (base64.b64encode(PASSWORD.encode()).decode(),)),
        ("Encoding %s", ({b"authorization": f"Basic {PASSWORD}".encode()},)),
        ("GET http://%s@127.0.0.1/api", (PASSWORD,)),
        ("GET /?auth=%s", ("operator%3Acorrect-horse-battery",)),
        # As websockets shortens a frame.
        ("> TEXT %s [75 bytes]", ('\'{"type":"auth","token":"operator:correct-horse-b...y"}\'',)),
    ],
)
def test_a_password_is_masked_in_every_form(
    caplog: pytest.LogCaptureFixture, message: str, arguments: tuple[object, ...]
) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("websockets.client").debug(message, *arguments)
    assert "***" in caplog.text
    assert "horse" not in caplog.text


@pytest.mark.usefixtures("_masked")
def test_all_else_is_logged_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("adspark").info("%d ads of %s", 3, "New Balance")
    assert caplog.messages == ["3 ads of New Balance"]
