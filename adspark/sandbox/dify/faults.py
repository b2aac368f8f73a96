"""Faults of Dify that can be switched on, and which of them hit a request."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from adspark.sandbox.serpapi.faults import BaseFault, BaseFaultBox


class DifyFaultKind(StrEnum):
    """What can go wrong with a run or an upload."""

    CUT_STREAM = "cut_stream"
    LOST_ANSWER = "lost_answer"
    SERVER_ERROR_BEGUN = "server_error_begun"
    GATEWAY_TIMEOUT = "gateway_timeout"
    GARBLED = "garbled"
    SILENCE = "silence"
    LATE_FIRST_EVENT = "late_first_event"
    ERROR_EVENT = "error_event"
    FAILED_RUN = "failed_run"
    QUOTA = "quota"
    PLAN_LIMIT = "plan_limit"
    BUSY = "busy"
    UNAUTHORIZED = "unauthorized"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    NO_PICTURE = "no_picture"
    EXPIRED_PICTURE = "expired_picture"
    BROKEN_PICTURE = "broken_picture"
    SLOW = "slow"
    UPLOAD_ERROR = "upload_error"


# They answer a request that has begun a run with something that does not name it.
SPOILED = frozenset(
    {
        DifyFaultKind.SERVER_ERROR_BEGUN,
        DifyFaultKind.GATEWAY_TIMEOUT,
        DifyFaultKind.GARBLED,
    }
)

# They end a request before it is a run.
REFUSALS = frozenset(
    {
        DifyFaultKind.QUOTA,
        DifyFaultKind.PLAN_LIMIT,
        DifyFaultKind.BUSY,
        DifyFaultKind.UNAUTHORIZED,
        DifyFaultKind.SERVER_ERROR,
        DifyFaultKind.UNAVAILABLE,
    }
)


class DifyFault(BaseFault[DifyFaultKind]):
    """One fault of Dify.

    `slow` lasts 5 seconds unless told otherwise, `silence` and `late_first_event` for ever.
    `upload_error` matches uploads, every other kind requests to run; only those with a sound key
    and sound inputs count.
    """

    timed = frozenset({DifyFaultKind.SLOW, DifyFaultKind.SILENCE, DifyFaultKind.LATE_FIRST_EVENT})


Hits = Mapping[DifyFaultKind, DifyFault]
"""The faults that hit one run."""

NO_HITS: Hits = MappingProxyType({})


class DifyFaultBox(BaseFaultBox[DifyFault]):
    """The faults of Dify."""

    def draw_for_upload(self) -> bool:
        """Whether an upload fails."""
        return any(
            armed.fault.kind is DifyFaultKind.UPLOAD_ERROR and armed.fires(self._chance)
            for armed in self.armed
        )

    def draw_for_run(self) -> Hits:
        """Which faults hit a request to run. Behind one that refuses it, others sit this out."""
        hits: dict[DifyFaultKind, DifyFault] = {}
        for armed in self.armed:
            kind = armed.fault.kind
            if kind is DifyFaultKind.UPLOAD_ERROR or not armed.fires(self._chance):
                continue
            hits[kind] = armed.fault
            if kind in REFUSALS:
                break
        return hits
