"""Parts of the sandbox's Dify: forms of files, faults, shapes."""

import httpx
import pytest
from pydantic import ValidationError

from adspark.sandbox.dify.faults import DifyFault, DifyFaultBox, DifyFaultKind
from adspark.sandbox.dify.multipart import parse_multipart
from adspark.sandbox.dify.shape import WorkflowShape

Kind = DifyFaultKind


def encode(name: str, content: bytes, media_type: str | None = "image/png") -> tuple[str, bytes]:
    file = (name, content, media_type) if media_type else (name, content)
    request = httpx.Request("POST", "http://x", files={"file": file}, data={"user": "ü"})
    return request.headers["content-type"], request.read()


@pytest.mark.parametrize(
    "content", [b"", b"\r\n", b"\x89PNG\r\n\x1a\n\x00--\r\n--\r\r\n", bytes(range(256)) * 999]
)
def test_a_file_comes_through_byte_by_byte(content: bytes) -> None:
    user, file = parse_multipart(*encode("CR1 ä.png", content))
    assert (user.name, user.content, user.filename) == ("user", "ü".encode(), None)
    assert (file.name, file.media_type, file.content) == ("file", "image/png", content)
    assert file.filename is not None
    assert file.filename.startswith("CR1")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b""),
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nno head"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Type: a/b\r\n\r\nno name\r\n--x--"),
    ],
)
def test_garbage_has_no_fields(content_type: str, body: bytes) -> None:
    assert parse_multipart(content_type, body) == []


def test_faults_keep_to_their_requests_and_their_numbers() -> None:
    faults = [
        DifyFault(kind=Kind.UPLOAD_ERROR, times=1),
        DifyFault(kind=Kind.SLOW, after=1, times=1),
        DifyFault(kind=Kind.QUOTA, after=2),
        DifyFault(kind=Kind.NO_PICTURE),
    ]
    box = DifyFaultBox(faults, seed=0)
    assert [set(box.draw_for_run()) for _ in range(3)] == [
        {Kind.NO_PICTURE},
        {Kind.SLOW, Kind.NO_PICTURE},
        {Kind.QUOTA},
    ]
    assert [box.draw_for_upload() for _ in range(2)] == [True, False]


def test_the_same_seed_hits_the_same_runs() -> None:
    def draw() -> list[bool]:
        box = DifyFaultBox([DifyFault(kind=Kind.SLOW, probability=0.5)], seed=3)
        return [bool(box.draw_for_run()) for _ in range(64)]

    assert draw() == draw()
    assert {True, False} == set(draw())


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "latency"},
        {"kind": "quota", "seconds": 1},
        {"kind": "slow", "probability": 2},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "extra": 1},
    ],
)
def test_nonsense_is_no_fault(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DifyFault.model_validate(given)


@pytest.mark.parametrize(
    "given", [{"outputs": "else"}, {"picture_input": {"kind": "number"}}, {"prompt_max_length": 0}]
)
def test_nonsense_is_no_shape(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WorkflowShape.model_validate(given)
