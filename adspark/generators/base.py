"""What every generator of variants has in common: request, result, and observer.

A generation costs money. Its generator calls `on_submit` before it submits the request,
`on_accepted` as soon as the service has named the run, and looks at what was saved of both before
it submits again.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue


@dataclass(frozen=True)
class RemoteRun:
    """The service's ids of a generation that it has accepted."""

    run_id: str
    task_id: str | None = None


@dataclass(frozen=True)
class Picture:
    """A picture of the original ad, as a file, and the ad's own one's address on the internet."""

    content: bytes
    media_type: str
    name: str
    address: str | None = None


@dataclass(frozen=True)
class GenerationRequest:
    """One generation that is wanted."""

    key: str  # idempotency key: the same one is the same generation, however often it is tried
    prompt: str  # what a person wants of the variant
    original: Picture
    original_copy: str | None = None
    rules: str | None = None  # that the variant is checked by, a line each
    submitted_at: datetime | None = None  # by an earlier try, if it was
    submitted_for: float = 0.0  # seconds since then, by the clock of whoever noted the time
    remote_run: RemoteRun | None = None  # that an earlier try has learnt of


@dataclass(frozen=True)
class Generated:
    """What a generation gave: copy, picture, or both.

    Should the picture's address give none, `more_pictures` are others, the likeliest first.
    """

    text: str | None
    picture: str | None  # http(s) address, which may expire soon, or a data: address
    metadata: dict[str, JsonValue] = field(default_factory=dict)  # for the record
    more_pictures: list[str] = field(default_factory=list)
    is_cut_off: bool = False  # whether the copy ends in the middle


class GenerationObserver(Protocol):
    """What is called as a generation gets on."""

    async def on_submit(self) -> datetime:
        """It is submitted next; returns the time, saved, once it fits within the rate limit.

        Raises:
            UnknownVariantError: it was cancelled, or another worker has submitted it.
        """

    async def on_refused(self) -> None:
        """The service refused it: nothing was begun, nothing is to be paid."""

    async def on_accepted(self, remote_run: RemoteRun) -> None:
        """The service runs it under these ids."""

    async def on_progress(self, done: float, doing: str) -> None:
        """How much is done, 0 to 1, and what is being done."""


class Generator(Protocol):
    """A service that makes a variant; all raise AdSparkError where it cannot be used."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """host:port of the service itself, where its pictures may be although it is private."""

    async def check(self, prompt: str) -> None:
        """Raise InvalidQueryError, with field and limit, for a prompt that the service refuses."""

    async def generate(self, request: GenerationRequest, observer: GenerationObserver) -> Generated:
        """The variant; of a request that was submitted before, the same one.

        Raises:
            PostponedError: whether it was begun, or what it gave, will be known later.
            GenerationFailedError: the service accepted it and failed.
        """

    async def cancel(self, remote_run: RemoteRun | None, *, key: str) -> None:
        """End a generation, so that no more is spent on it; one that has ended stays as it is.

        Raises:
            AdSparkError: it could not be ended.
        """
