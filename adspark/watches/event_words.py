"""What people are told of what a watch notices: the same words on the terminal and the pages."""

from adspark.models import EventKind

EVENT_WORDS = {
    EventKind.BASELINE: "known from the start",
    EventKind.NEW: "new",
    EventKind.CHANGED: "changed",
    EventKind.REACTIVATED: "returned",
    EventKind.ENDED: "ended",
}
