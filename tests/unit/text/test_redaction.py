"""Secrets, in whatever form a service echoes them or a library quotes them."""

import base64
import html
import io
import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, SecretStr

from adspark.errors import AdSparkError, InvalidQueryError, ServiceRefusedError, describe_error
from adspark.text import redaction
from adspark.text.redaction import (
    quote,
    redact,
    redact_document,
    redact_foreign,
    remember,
    remember_address,
    secret_parts,
)
from adspark.text.redactor import Redactor
from deployments.operations.runs.failures import find_cause
from tests.support.growth import assert_no_square

KEY = "app-3fK/9z+Qx=7&m L'2\"é"
PLAIN = "9f2c41d07ab35e8896d2417fa0c35be1"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(redaction, "_known", {})
    factory = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(factory)


def _percent_lower(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _basic(text: str, user: str) -> str:
    return base64.b64encode(f"{user}:{text}".encode()).decode()


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: urllib.parse.quote(text, safe=""),
    "percent-encoded in part": urllib.parse.quote,
    "percent-encoded as a form is": urllib.parse.quote_plus,
    "percent-encoded in small letters": lambda text: urllib.parse.quote(text, safe="").lower(),
    "percent-encoded throughout": _percent_lower,
    "percent-encoded twice": lambda text: urllib.parse.quote(urllib.parse.quote(text, safe="")),
    "escaped for JSON": lambda text: json.dumps(text)[1:-1],
    "escaped for JSON twice": lambda text: json.dumps(json.dumps(text))[1:-1],
    "escaped for JSON with slashes": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "escaped for JSON within HTML": lambda text: json.dumps(text)[1:-1].replace("&", r"\u0026"),
    "escaped throughout": lambda text: "".join(rf"\u{ord(one):04X}" for one in text),
    "escaped for HTML": html.escape,
    "as Python writes it": lambda text: repr(text.encode())[2:-1],
    "in capitals": str.upper,
    "in hex": lambda text: text.encode().hex(),
    "in hex with capitals": lambda text: text.encode().hex().upper(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in a header, after no byte": lambda text: _basic(text, "ab"),
    "in a header, after one": lambda text: _basic(text, "abc"),
    "in a header, after two": lambda text: _basic(text, "abcd"),
    "in base64, percent-encoded": lambda text: urllib.parse.quote(_basic(text, "u"), safe=""),
}  # fmt: skip


@pytest.mark.parametrize("secret", [KEY, PLAIN, "sk-s3cr3t", f"sk-{PLAIN}{PLAIN}"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form(form: str, secret: str) -> None:
    echoed = FORMS[form](secret)
    for text in (echoed, f"Invalid key <{echoed}>, see https://x.example/?k={echoed}&more=1"):
        assert Redactor(secret).holds(text)
        told = Redactor(secret).redact(text)
        assert secret not in told
        assert "***" in told
        for start in range(0, max(1, len(echoed) - 8)):
            if form.startswith(("in base64", "in a header")) and start > len(echoed) - 12:
                break  # the last letters share bits with what follows
            if not form.startswith("in a header"):
                assert echoed[start : start + 8] not in told
    assert Redactor(secret).redact(f"Bearer {echoed}; more").endswith("; more")


@pytest.mark.parametrize("kept", [12, 20, 40])
def test_a_secret_that_was_cut_off_is_masked_too(kept: int) -> None:
    secret = PLAIN + PLAIN[::-1]
    assert Redactor(secret).redact(f"key {secret[:kept]}… is wrong") == "key ***… is wrong"


@pytest.mark.parametrize("text", ["Acme Inc, New York", "https://cdn.example/a%20b.png?x=%2F&y=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    for secret in (KEY, PLAIN, "key", "postgres", "wordless"):
        assert Redactor(secret).redact(text) == text


WORDS = ["EMPTY", "none", "test", "free", "local", "ollama", "sesame", "user"]
SENTENCES = [
    "Never come home {}-handed",
    "Second to {}.",
    "{} shipping, '{}' returns: {}",
    "{}_id: has to be a whole number.",
    "my_{}, {}s, the key is {}",
    "A basic {}; the key: {}, for {}@shop.example",
    "https://shop.example/{}?utm={}",
]
CREDENTIALS = [
    ("Authorization: Bearer {}", "Authorization: Bearer ***"),
    ("(b'Authorization', b'Bearer {}')", "(b'Authorization', b'Bearer ***')"),
    ("Authorization: {}, then", "Authorization: ***, then"),
    ("'x-api-key': '{}'", "'x-api-key': '***'"),
    ("https://x.example/?api_key={}&x=1", "https://x.example/?api_key=***&x=1"),
    ("api_key%3D{}%26x", "api_key%3D***%26x"),
    ("token={}; more", "token=***; more"),
    ("host=db password = '{}' dbname=ads", "host=db password = '***' dbname=ads"),
    ("postgresql://adspark:{}@db/ads", "postgresql://adspark:***@db/ads"),
    ("redis%3A%2F%2F%3A{}%40db", "redis%3A%2F%2F%3A***%40db"),
    ('{"api_key":"{}"}', '{"api_key":"***"}'),
    ('{\\"api_key\\": \\"{}\\"}', '{\\"api_key\\": \\"***\\"}'),
    ("Port could not be cast to integer as '{}'", "Port could not be cast to integer as '***'"),
    ("invalid literal for int(), base 10: '{}'", "invalid literal for int(), base 10: '***'"),
    ("Invalid port: '{}'", "Invalid port: '***'"),
    ("&quot;token&quot;: &quot;{}&quot;", "&quot;token&quot;: &quot;***&quot;"),
]  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_a_short_word_is_masked_only_where_it_stands_as_a_credential(word: str) -> None:
    for sentence in SENTENCES:
        for told in (sentence.replace("{}", word), sentence.replace("{}", word.upper())):
            assert Redactor(word).redact(told) == told
    for text, masked in CREDENTIALS:
        assert Redactor(word).redact(text.replace("{}", word)) == masked
    for content in (word, f"anna:{word}", f"{word}:"):
        encoded = base64.b64encode(content.encode()).decode()
        for written in (encoded, encoded.rstrip("="), urllib.parse.quote(encoded, safe="")):
            assert Redactor(word).redact(f"b'Basic {written}', x") == "b'Basic ***', x"
    other = base64.b64encode(b"anna:another").decode()
    assert Redactor(word).redact(f"Basic {other}") == f"Basic {other}"


def test_common_words_and_the_shortest_are_masked_nowhere() -> None:
    assert Redactor("postgres").redact("postgresql://postgres") == "postgresql://postgres"
    assert Redactor("key").redact("api_key=key") == "api_key=key"


def test_our_own_messages_keep_the_words_of_a_short_password() -> None:
    remember_address("postgresql://adspark:user@db/adspark")
    assert str(InvalidQueryError("user_id", "has no user.")) == "user_id: has no user."
    assert (
        str(AdSparkError("not postgresql://adspark:user@db")) == "not postgresql://adspark:***@db"
    )


@pytest.mark.parametrize(
    "key",
    [PLAIN + PLAIN[::-1], "app-AbCd1234EfGh5678IjKl9012", "sk-proj-Ab12Cd34Ef56", "abcdefghijkl"],
)
def test_a_key_of_normal_length_is_masked_everywhere(key: str) -> None:
    for sentence in (*SENTENCES, *(text for text, _ in CREDENTIALS)):
        assert key not in Redactor(key).redact(sentence.replace("{}", key))
    encoded = base64.b64encode(key.encode()).decode()
    assert encoded not in Redactor(key).redact(f"sent {encoded}")


@given(st.text(min_size=8, max_size=40), st.text(max_size=20), st.sampled_from(sorted(FORMS)))
def test_no_secret_survives_whatever_it_is_made_of(secret: str, around: str, form: str) -> None:
    if (
        secret.isalpha()
        or not secret.strip()
        or not secret.isprintable()
        or len(secret.encode()) < 8
    ):
        return
    echoed = FORMS[form](secret)
    if form == "in capitals" and echoed.lower() != secret.lower():
        return  # letters that have no small form of their own
    redactor, text = Redactor(secret), around + echoed + around
    assert secret not in (redacted := redactor.redact(text))
    assert redactor.holds(text) or redacted == text


ESCAPES: list[Callable[[str], str]] = [
    _percent_lower,
    lambda one: _percent_lower(one).replace("%", "%25"),
    lambda one: _percent_lower(one).replace("%", "%2525"),
    lambda one: rf"\\\u{ord(one):04x}",
    lambda one: "".join(rf"\x{byte:02x}" for byte in one.encode()),
    lambda one: f"&#{ord(one)};",
    lambda one: f"&amp;amp;#x{ord(one):X};",
]


@given(st.data(), st.booleans(), st.text(max_size=20))
def test_a_document_holds_a_secret_however_its_characters_are_escaped(
    data: st.DataObject, has_escaped_letters: bool, around: str
) -> None:
    secret = data.draw(st.sampled_from([KEY, PLAIN, "sk-s3cr3t", "--/a1b2c3d4e5", "İi-s9/8=7"]))
    escape = st.sampled_from(ESCAPES)
    written = "".join(
        one if one.isalnum() and not has_escaped_letters else data.draw(escape)(one)
        for one in secret
    )
    assert Redactor(secret).holds(f"{around}{written}{around}")


def test_errors_quotes_and_what_is_shown_of_runs_hold_no_known_secret() -> None:
    remember(SecretStr(PLAIN), None, SecretStr(""))
    echoed = urllib.parse.quote(f"{PLAIN}", safe="")
    assert str(AdSparkError(f"got {echoed}")) == "got ***"
    assert str(ServiceRefusedError(f"got {PLAIN.upper()}")) == "got ***"
    assert PLAIN not in describe_error(ValueError(f"unknown {PLAIN}"))
    assert quote("x" * 290 + PLAIN) == "x" * 290 + "***"
    assert redact_foreign(f"told {PLAIN}") == "told ***"
    assert redact_document({"note": [f"told {PLAIN}"]}) == {"note": ["told ***"]}


def test_a_message_without_an_end_is_cut() -> None:
    assert len(str(AdSparkError("x" * 10**7))) == 5000


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        ("postgresql://anna:Kt9-horse-word@db.example:5432/ads", "Kt9-horse-word"),
        ("postgresql://anna:Kt9%2Fhorse%40word@db.example/ads", "Kt9/horse@word"),
        ("postgresql://anna:Kt9/horse@word@db.example/ads", "Kt9/horse@word"),
        ("postgresql:///ads?host=/run&user=anna&password=Kt9-horse-word", "Kt9-horse-word"),
        ("host=db.example user=anna password=Kt9-horse-word dbname=ads", "Kt9-horse-word"),
        ("host=db.example password = 'Kt9 horse\\' word' dbname=ads", "Kt9 horse' word"),
        ("s3://AKIA1:Kt9-horse-word@bucket/folder", "Kt9-horse-word"),
        ("ftp://anna:Kt9-horse-word@files.example/pictures", "Kt9-horse-word"),
        ("https://anna:Kt9-horse-word@dify.example/v1", "Kt9-horse-word"),
        ("anna:Kt9-horse-word@dify.example/v1", "Kt9-horse-word"),
        ("https://files.example/?access_token=Kt9-horse-word", "Kt9-horse-word"),
    ],
)
def test_the_password_of_an_address_is_masked_by_itself(address: str, secret: str) -> None:
    remember_address(SecretStr(address))
    assert redact(f"refused: {secret}, {urllib.parse.quote(secret, safe='')}") == (
        "refused: ***, ***"
    )
    assert "example" in redact(address) or "bucket" in redact(address) or "/run" in redact(address)


def test_the_file_of_a_key_is_named_and_its_password_is_not() -> None:
    remember_address("postgresql://db/ads?sslkey=/a/Kt9.key&sslpassword=Kt9-horse-word")
    assert redact('key file "/a/Kt9.key", Kt9-horse-word') == 'key file "/a/Kt9.key", ***'


@pytest.mark.parametrize(
    ("address", "token"),
    [
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#a", "TIiajkdnlazkcOXrIdevi7FQ"),
        ("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "JHMHI8qBe7bk2ZwO5U711o3dV_js"),
        ("tgram://123456789:abcdefghijklmnopqrstu/111", "abcdefghijklmnopqrstu"),
        ("mailto://anna:Kt9-horse@example.com", "Kt9-horse"),
        ("jsons://hooks.example/in/x8Kq2mWz", "x8Kq2mWz"),
        ("json://hooks.example/in?auth=x8Kq2mWz", "x8Kq2mWz"),
    ],
)  # fmt: skip
def test_the_tokens_of_a_webhooks_address_are_masked_and_its_words_are_not(
    address: str, token: str
) -> None:
    remember(*secret_parts(address))
    assert redact(f'POST /services/{token} HTTP/1.1" 200') == 'POST /services/*** HTTP/1.1" 200'
    assert redact("hooks of example, in a") == "hooks of example, in a"


def test_no_record_of_a_log_holds_a_known_secret() -> None:
    remember(PLAIN)
    told = io.StringIO()
    logger = logging.Logger("made.by.whoever", logging.DEBUG)
    logger.addHandler(logging.StreamHandler(told))
    logger.debug("sent %r to %s", {"Authorization": f"Bearer {PLAIN}"}, "x.example")
    logger.info(f"whole {PLAIN}")
    logger.info("100 %")
    try:
        try:
            raise ValueError(f"b'{PLAIN}' is not a status")
        except ValueError as error:
            raise RuntimeError("It broke.") from error
    except RuntimeError:
        logger.exception("Failed with %s", PLAIN)
    written = told.getvalue()
    assert PLAIN not in written
    assert "sent {'Authorization': 'Bearer ***'} to x.example" in written
    assert "100 %" in written
    assert "is not a status" in written
    assert "RuntimeError: It broke." in written


class _Mute:
    def __str__(self) -> str:
        raise ValueError(PLAIN)

    __repr__ = __str__


@pytest.mark.parametrize(
    "arguments",
    [(PLAIN,), ([PLAIN], 1, {PLAIN: PLAIN}), (SecretStr("x"), PLAIN.encode()), (_Mute(), PLAIN)],
)
def test_arguments_that_do_not_fit_are_written_without_secrets(
    capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    remember(PLAIN)
    told = io.StringIO()
    logger = logging.Logger("made.by.whoever")
    logger.addHandler(logging.StreamHandler(told))
    try:
        raise KeyError(PLAIN)
    except KeyError:
        logger.exception(f"{PLAIN} of %s and %d", *arguments)
    written = told.getvalue() + capsys.readouterr().err
    assert PLAIN not in written
    assert "*** of %s and %d" in written


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://a:b@c/d", "postgresql://***@c/d"),
        ("postgresql://a:b@b@c/d", "postgresql://***@c/d"),
        ("password='a b c' host=x", "password=*** host=x"),
        ("PGPASSWORD=abc make", "PGPASSWORD=*** make"),
        ("?api_key=abc&x=1", "?api_key=***&x=1"),
        ("api_key%3Dabc&x=1", "api_key%3D***&x=1"),
        ('{"api_key": "abc", "x": 1}', '{"api_key": "***", "x": 1}'),
        (r'"{\"api_key\": \"abc\"}"', r'"{\"api_key\": \"***\"}"'),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer ***"),
        ("Basic YW5uYTpwYXNz", "Basic ***"),
    ],
)
def test_what_reads_like_a_secret_of_another_process_is_masked(text: str, masked: str) -> None:
    assert redact_foreign(text) == masked


@pytest.mark.parametrize(
    "name",
    ["api_key", "token", "secret", "passwd", "password", "pwd", "credential", "signature", "sig",
     "authorization", "auth_string", "auth"],
)  # fmt: skip
def test_a_name_of_a_secret_is_one_wherever_it_stands(name: str) -> None:
    assert redact_foreign(f"?x=1&{name}=abc&y=2") == f"?x=1&{name}=***&y=2"
    assert redact_foreign(f'{{"{name}": "abc"}}') == f'{{"{name}": "***"}}'
    assert redact_document({name: 7, "more": {name.upper(): "abc"}}) == {
        name: "***", "more": {name.upper(): "***"},
    }  # fmt: skip
    assert Redactor("none").redact(f"{name}=none, none") == f"{name}=***, none"
    assert Redactor("none").redact_field(name, "none") == "***"
    remember_address(f"https://files.example/?{name}=Kt9-horse-word")
    assert redact("got Kt9-horse-word") == "got ***"


def test_names_that_only_look_like_those_of_secrets_are_none() -> None:
    document: dict[str, JsonValue] = {"author": "Anna", "design": "new", "require_auth": "md5"}
    assert redact_document(document) == document
    assert redact_foreign("author=Anna&require_auth=md5") == "author=Anna&require_auth=md5"


HOSTILE: dict[str, Callable[[int], str]] = {
    "addresses": lambda n: "://" * (n // 3),
    "an address without an end": lambda n: "://" + "a:" * (n // 2),
    "words with dashes": lambda n: "a-" * (n // 2),
    "names": lambda n: "key" * (n // 3),
    "names with blanks": lambda n: "key " * (n // 4),
    "a name with blanks": lambda n: "key=" + " " * n,
    "quoted names": lambda n: '"key"' * (n // 5),
    "a quoted text without an end": lambda n: "password='" + "a" * n,
    "escapes": lambda n: "\\" * n,
    "headers": lambda n: "Bearer " * (n // 7),
    "percents": lambda n: "%25" * (n // 3),
    "escaped first letters": lambda n: "#x39%2539" * (n // 9),
    "numbers": lambda n: "1.1:" * (n // 4),
    "letters of hex": lambda n: "a" * n + "x",
    "beginnings of the secret": lambda n: PLAIN[:11] * (n // 11),
    "the secret": lambda n: PLAIN * (n // 32),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_twelve_times_the_text_takes_no_square_of_the_time(kind: str) -> None:
    remember(PLAIN, KEY)
    redactors = [Redactor(PLAIN), Redactor(KEY)]
    assert_no_square(
        lambda text: (
            redact_foreign(text),
            find_cause(text),
            [one.holds(text) for one in redactors],
        ),
        HOSTILE[kind],
    )
