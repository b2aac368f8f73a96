"""`adspark report`: one file that can be passed on, whole or not there, and no secret in it."""

import base64
import json
import os
import signal
import stat
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from benchmarks.ports import free_port
from tests.support.terminal import ADSPARK
from tests.support.waiting import wait_until

_PORT = free_port()
# A secret in each place where a setting or a variable may hold one.
_SECRETS = {
    "ADSPARK_SERPAPI_KEY": ("serp-1f3a9c77e0", "{}"),
    "ADSPARK_DIFY_KEY": ("app-2b8d4470ab", "{}"),
    "ADSPARK_CHAT_KEY": ("chat-3c0d6651cd", "{}"),
    "ADSPARK_SERPAPI_URL": ("url4e9f0812", f"http://me:{{}}@127.0.0.1:{_PORT}"),
    "ADSPARK_DIFY_URL": ("url5a7b3319", f"http://127.0.0.1:{_PORT}/v1?token={{}}"),
    "ADSPARK_CHAT_URL": ("url6d1e5521", f"http://u:{{}}@127.0.0.1:{_PORT}/v1"),
    "ADSPARK_DATABASE_URL": ("pg7/c2@d94", f"postgresql://me:{{quoted}}@127.0.0.1:{_PORT}/x"),
    "ADSPARK_MEDIA_URL": ("s3k8e1f77aa", "s3://name:{}@bucket/folder"),
    "ADSPARK_NOTIFY_ADDRESSES": ("tok9a8b7c6d5e4f", "slack://T1JJ3T3L2/A1BRTD4JD/{} json://h/x"),
    "PREFECT_API_AUTH_STRING": ("auth10bb47ce", "admin:{}"),
    "HTTP_PROXY": ("proxy11cc58", "http://u:{}@127.0.0.1:1"),
    "PGPASSWORD": ("pgpw12dd69ee", "{}"),
}
_IN_FILE = {
    "POSTGRES_PASSWORD": "file13ee7a99",
    "AWS_SECRET_ACCESS_KEY": "file14ff8b00+/x",
    "PREFECT_SERVER_API_AUTH_STRING": "name:file15008c11",
    "FSSPEC_S3_TOKEN": "file16119d22",
}
# Secrets that no setting holds any more.
_FOREIGN = {
    "old17aa22bb": "connected to postgresql://user:old17aa22bb@db/adspark",
    "old18bb33cc": "GET https://serpapi.com/search.json?api_key=old18bb33cc&num=40",
    "old19cc44dd": '{"password": "old19cc44dd", "user": "me"}',
    "old20dd55ee": "Authorization: Bearer old20dd55ee",
}


def surroundings(home: Path, **variables: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
    ports = {f"ADSPARK_{one}_PORT": str(free_port()) for one in ("PREFECT", "METRICS", "GALLERY")}
    return clean | ports | {"ADSPARK_HOME": str(home)} | variables


def report(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ADSPARK, "report", *arguments], cwd=folder,
        env=surroundings(folder / "home", **variables), capture_output=True, text=True, check=False,
    )  # fmt: skip


def contents(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def _spellings(secret: str) -> list[str]:
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    ]


def test_no_secret_of_any_setting_or_log_is_in_the_report(tmp_path: Path) -> None:
    secrets = {name: secret for name, (secret, _) in _SECRETS.items()}
    in_file = [value.rpartition(":")[2] for value in _IN_FILE.values()]
    (tmp_path / ".env").write_text("".join(f"{k}={v}\n" for k, v in _IN_FILE.items()))
    (tmp_path / ".env").chmod(0o600)
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    lines = [f"x {one} y" for secret in (*secrets.values(), *in_file) for one in _spellings(secret)]
    lines += _FOREIGN.values()
    written = "\n".join(["the first line", *lines, "the last line"])
    for log in (logs / "workers.log", tmp_path / "home" / "stack.log"):
        log.write_text(written)
    (logs / "server.log").write_text("z" * 600_000 + "\n" + written)
    variables = {
        name: form.format(secret, quoted=quote(secret, safe=""))
        for name, (secret, form) in _SECRETS.items()
    }
    done = report(tmp_path, "r.zip", **variables)
    assert done.returncode == 0, done.stderr
    found = contents(tmp_path / "r.zip")
    everything = "\n".join((*found, *found.values(), done.stdout, done.stderr))
    for secret in (*secrets.values(), *in_file, *_FOREIGN):
        for spelling in _spellings(secret):
            assert spelling not in everything, next(
                (name, secret) for name, text in found.items() if spelling in text
            )
    assert "the first line" in found["logs/workers.log"]
    assert found["logs/server.log"].endswith("the last line")
    assert len(found["logs/server.log"]) < 500_000
    assert "logs/stack.log" in found


def test_the_report_has_versions_settings_checks_and_logs_and_says_so(
    tmp_path: Path, database_url: str
) -> None:
    done = report(tmp_path, "r.zip", ADSPARK_DATABASE_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Wrote r.zip (")
    assert "doctor finds nothing wrong" in done.stdout
    file = tmp_path / "r.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = contents(file)
    assert {"README.txt", "doctor.json", "versions.json", "settings.json", "environment.json",
            "server.json"} <= set(found)  # fmt: skip
    assert any(
        one.startswith("prefect 3.") for one in json.loads(found["versions.json"])["packages"]
    )
    settings = json.loads(found["settings.json"])
    assert (settings["drain_time"], settings["serpapi_key"]) == (30.0, None)
    assert "look it over before you pass it on" in found["README.txt"]
    states = {one["name"]: one["state"] for one in json.loads(found["doctor.json"])}
    assert states["database"] == "ok"

    again = report(tmp_path, "r.zip")
    assert (again.returncode, again.stdout) == (2, "")
    assert "r.zip is there already; name another, or give --force." in again.stderr
    assert contents(file) == found
    document = json.loads(report(tmp_path, "r.zip", "--force", "--json").stdout)
    assert document == {
        "schema": "report/1",
        "file": "r.zip",
        "bytes": file.stat().st_size,
        "problems": 0,
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("report.tar", "FILE: report.tar does not end in .zip."),
        ("no/such/r.zip", "FILE: no/such: there is no such folder; make it first."),
        ("folder.zip", "FILE: folder.zip is a folder; name a file."),
        ("link.zip", "FILE: link.zip is there already"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_any_work(
    tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "folder.zip").mkdir()
    (tmp_path / "link.zip").symlink_to("nowhere")
    before = sorted(tmp_path.iterdir())
    done = report(tmp_path, name)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_one_that_is_ended_meanwhile_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [ADSPARK, "report", "r.zip"], cwd=tmp_path, env=surroundings(tmp_path / "home"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    wait_until(lambda: process.poll() is not None or any(tmp_path.glob(".r.zip.*")))
    process.send_signal(number)
    assert process.wait() != 0
    assert [one.name for one in tmp_path.iterdir() if "zip" in one.name] == []
