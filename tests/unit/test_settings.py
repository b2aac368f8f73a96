"""Settings: empty is unset, and a wrong value is named."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from adspark.errors import ConfigurationError
from adspark.settings import Settings, get_settings, media_url
from deployments.environment.stack_settings import public_environment


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERPAPI_KEY", "DATABASE_URL", "SERPAPI_URL", "RETRY_DELAYS"):
        monkeypatch.setenv(f"ADSPARK_{name}", "")
    settings = Settings()
    assert settings.serpapi_key is None
    assert settings.database_url is None
    assert settings.serpapi_url == "https://serpapi.com"
    assert settings.retry_delays == (60.0, 120.0, 240.0)


def test_the_public_address_is_kept_without_a_slash_at_its_end() -> None:
    for written in ("https://Ads.Example.com:8443/", " https://ads.example.com:8443"):
        assert Settings(gallery_url=written).gallery_url == "https://ads.example.com:8443"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ADSPARK_PREFECT_PORT", "99999"),
        ("ADSPARK_SERPAPI_TIMEOUT", "soon"),
        ("ADSPARK_RETRY_DELAYS", "1,two"),
        ("ADSPARK_HOME", "~nobodyx/y"),
        ("ADSPARK_MEDIA_URL", "~nobodyx/y"),
        ("ADSPARK_SEARCHES_PER_MINUTE", "0"),
        ("ADSPARK_ARCHIVE_DAYS", "0"),
        ("ADSPARK_ARCHIVE_MEGABYTES", "lots"),
        ("ADSPARK_ARCHIVE_RUN_PICTURES", "-1"),
        ("ADSPARK_GALLERY_URL", "ads.example.com"),
        ("ADSPARK_GALLERY_URL", "https://ads.example.com/ads"),
        ("ADSPARK_GALLERY_URL", "https://ads.example.com?ads"),
        ("ADSPARK_GALLERY_URL", "https://ana:word@ads.example.com"),
        ("ADSPARK_GALLERY_URL", "https://ads.example.com:99999"),
        ("ADSPARK_GALLERY_URL", "https://"),
        ("ADSPARK_GALLERY_URL", "ftp://ads.example.com"),
        *(("ADSPARK_TRUSTED_HOSTS", one) for one in ("a b;c", "dify", "dify:0", "dify:70000",
                                                     "http://dify:80", "di/fy:80", ":80", "a,b:1")),
        *(("ADSPARK_ALLOWED_HOSTS", one) for one in ("http://x/", "x:8443", "*.example.com")),
        *((f"ADSPARK_{one}_URL", "nonsense://x") for one in ("SERPAPI", "DIFY", "CHAT")),
        ("ADSPARK_DIFY_URL", "dify.internal/v1"),
        *(("ADSPARK_DIFY_URL", f"http://{one}/v1") for one in (
            "...", "a..b", "-a", "a:0", "a:70000", "1.2.3.999", f"{'a' * 64}.example",
        )),
        ("ADSPARK_TRUSTED_PROXIES", "127.0.0.1,*"),
        ("ADSPARK_TRUSTED_PROXIES", "172.16.0.1/12"),
        ("ADSPARK_TRUSTED_PROXIES", "proxy"),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name}: "):
        get_settings()


TIME = "must be 0.001 to 604800, not "


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ADSPARK_HOME", "~nobodyx/y", "~nobodyx is no home folder on this machine"),
        ("ADSPARK_SERPAPI_TIMEOUT", "inf", f"{TIME}inf"),
        ("ADSPARK_SERPAPI_TIMEOUT", "1" * 40, f"{TIME}one of more than 30 digits"),
        ("ADSPARK_SEARCHES_PER_MINUTE", "many", "is neither a whole number nor account"),
        ("ADSPARK_SEARCHES_PER_MINUTE", "0", "must be 1 to 100000, not 0"),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        get_settings()
    assert str(caught.value) == f"{name}: {said}. Correct it in the environment."


@pytest.mark.parametrize("written", ["account", "Account", " ACCOUNT "])
def test_the_rate_of_the_account_is_written_in_any_case(written: str) -> None:
    assert Settings(searches_per_minute=written).searches_per_minute == "account"


def test_a_folder_of_pictures_is_the_same_one_whatever_folder_a_process_works_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ADSPARK_MEDIA_URL=pictures\n")
    settings = get_settings()
    monkeypatch.chdir("/")
    assert media_url(settings) == str(tmp_path / "home" / "pictures")
    for address in ("s3://bucket/folder", "/a/folder", "file:///a/folder"):
        assert media_url(Settings(media_url=SecretStr(address))) == address


def test_what_operators_write_of_hosts_is_taken() -> None:
    settings = Settings(
        trusted_hosts="dify_web:80, [::1]:80, ::1:80, 10.0.0.7:4300, Dify.Internal:443",
        allowed_hosts="metrics,Ads.Example.com.,10.0.0.7",
    )
    assert (len(settings.trusted_hosts), len(settings.allowed_hosts)) == (5, 3)
    for address in (
        "http://dify_web/v1",
        "http://[::1]:80",
        "https://Müller.example",
        "http://10.0.0.7",
    ):
        assert Settings(dify_url=f" {address}").dify_url == address


def test_a_dotenv_file_in_the_working_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ADSPARK_RETRY_DELAYS=1, 2\nOTHER=x\n")
    assert Settings().retry_delays == (1.0, 2.0)


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADSPARK_SERPAPI_KEY", "hunter2")
    monkeypatch.setenv("ADSPARK_DATABASE_URL", "postgresql://u:hunter2@h/d")
    monkeypatch.setenv("ADSPARK_MEDIA_URL", "ftp://u:hunter2@h/d")
    assert "hunter2" not in repr(Settings()) + str(Settings().model_dump())


def test_the_runs_containers_get_the_address_of_pictures_and_no_other_secret() -> None:
    secret = SecretStr("hunter2")
    settings = Settings(media_url=SecretStr("ftp://u:p@h/d"), serpapi_key=secret, dify_key=secret)
    handed_on = public_environment(settings)
    assert handed_on.pop("ADSPARK_HOME")
    assert handed_on == {"ADSPARK_MEDIA_URL": "ftp://u:p@h/d"}


def test_every_variable_of_the_example_file_is_a_setting() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    named = {line.partition("=")[0] for line in example.splitlines() if line[:8] == "ADSPARK_"}
    assert named == {f"ADSPARK_{name.upper()}" for name in Settings.model_fields}


def test_runs_in_containers_get_the_address_of_the_pictures_and_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ADSPARK_MEDIA_URL", "ftp://anna:Kt9-horse-word@files.example/pictures")
    monkeypatch.setenv("ADSPARK_SERPAPI_KEY", "a-key-of-ours")
    settings = get_settings()
    assert "Kt9-horse-word" not in repr(settings)
    assert public_environment(settings) == {
        "ADSPARK_HOME": str(settings.home),
        "ADSPARK_MEDIA_URL": "ftp://anna:Kt9-horse-word@files.example/pictures",
    }


def test_a_home_has_one_name_whichever_link_leads_to_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "home")
    homes = []
    for name in ("home", "link"):
        monkeypatch.setenv("ADSPARK_HOME", str(tmp_path / name))
        homes.append(Settings().home)
    assert homes == [tmp_path.resolve() / "home"] * 2
