"""An object store that speaks S3's protocol over HTTP, as moto serves it, with faults on demand."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import s3fs
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
BUCKET = "reports"


@dataclass
class ObjectStore:
    """The store's address, and what becomes of requests to write.

    Attributes:
        url: where it answers.
        broken: endings of keys whose content it takes half of, and then fails.
        asked: method and path of each request.
        may_list: whether its keys may; else it does not say that an object is not there.
        answer: status, kind and content of what it answers to everything.
    """

    url: str = ""
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    may_list: bool = True
    answer: tuple[str, str, bytes] | None = None

    def environment(self, keys: tuple[str, str] = KEYS) -> dict[str, str]:
        """What the client's library reads."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "2",
        }

    def check_keys(self) -> None:
        """From now on only keys that the store has given are taken, and it has given none."""
        httpx.post(f"{self.url}/moto-api/reset-auth", content="0").raise_for_status()

    def objects(self) -> dict[str, bytes]:
        """All that is kept, by key."""
        files = self._files()
        return {
            path.removeprefix(f"{BUCKET}/"): files.cat_file(path) for path in files.find(BUCKET)
        }

    def put(self, key: str, content: bytes) -> None:
        """Keep an object."""
        self._files().pipe_file(f"{BUCKET}/{key}", content)

    def unfinished_uploads(self) -> list[str]:
        """The keys of uploads in parts that were neither completed nor aborted."""
        found = self._files().call_s3("list_multipart_uploads", Bucket=BUCKET)
        return [str(one["Key"]) for one in found.get("Uploads", [])]

    def _files(self) -> s3fs.S3FileSystem:
        return s3fs.S3FileSystem(
            key=KEYS[0],
            secret=KEYS[1],
            client_kwargs={"endpoint_url": self.url, "region_name": "us-east-1"},
            skip_instance_cache=True,
        )


def refusal(status: str, code: str) -> tuple[str, str, bytes]:
    """What S3 answers when it refuses a request, for `ObjectStore.answer`."""
    said = f"<Error><Code>{code}</Code><Message>S3 says {code}.</Message></Error>"
    return status, "application/xml", said.encode()


def _refuse(
    environ: dict[str, Any], start: Callable[..., Any], status: str, kind: str, content: bytes
) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    if kind == "application/xml":  # as S3 says it with its refusals
        headers.append(("x-amz-bucket-region", "eu-central-1"))
    start(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def _is_kept(store: ObjectStore, environ: dict[str, Any]) -> bool:
    """Whether a request writes, or asks for an object that was written."""
    asked = f"PUT {environ['PATH_INFO']}"
    return environ["REQUEST_METHOD"] not in ("GET", "HEAD") or asked in store.asked


@contextmanager
def serve_object_store() -> Iterator[ObjectStore]:
    """A store with one empty bucket."""
    store = ObjectStore()
    inner = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        store.asked.append(f"{environ['REQUEST_METHOD']} {path}")
        if store.answer is not None:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return _refuse(environ, start, *store.answer)
        if not store.may_list and not _is_kept(store, environ):
            return _refuse(environ, start, *refusal("403 Forbidden", "AccessDenied"))
        if environ["REQUEST_METHOD"] == "PUT" and path.endswith(tuple(store.broken)):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0) // 2)
            start("500 Internal Server Error", [("Connection", "close")])
            return [b"<Error><Code>InternalError</Code></Error>"]
        return inner(environ, start)  # type: ignore[no-any-return]

    server = make_server("127.0.0.1", 0, answer, threaded=True)
    store.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        httpx.post(f"{store.url}/moto-api/reset").raise_for_status()
        httpx.post(f"{store.url}/moto-api/reset-auth", content="1000000").raise_for_status()
        httpx.put(f"{store.url}/{BUCKET}").raise_for_status()
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def use_object_store(patch: pytest.MonkeyPatch, home: Path) -> Iterator[ObjectStore]:
    """A store whose keys are in the environment, and nobody's profile."""
    with serve_object_store() as served:
        set_environment(patch, served.environment())
        patch.setenv("AWS_CONFIG_FILE", str(home / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield served
    s3fs.S3FileSystem.clear_instance_cache()


def set_environment(patch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Let clients that are made from now on read these variables."""
    s3fs.S3FileSystem.clear_instance_cache()
    for name, value in environment.items():
        patch.setenv(name, value)
