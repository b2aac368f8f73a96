"""What became of the requests by which a message was sent."""

from dataclasses import dataclass


@dataclass
class Exchange:
    """What became of the requests that one message took.

    Attributes:
        problem: what the service did at the last one that failed, as "answered 500".
        is_refusal: the same request would be refused again a minute later, as with a wrong address.
        is_unknown: one was sent as a whole and got no answer: it may have been taken.
    """

    problem: str | None = None
    is_refusal: bool = False
    is_unknown: bool = False

    def note(self, problem: str, *, is_refusal: bool = False, is_unknown: bool = False) -> None:
        """Note that a request failed.

        Args:
            problem: what the service did, as the end of a sentence that begins with its name.
            is_refusal: whether it would do the same a minute later.
            is_unknown: whether it may have taken the message.
        """
        self.problem = problem
        self.is_refusal = is_refusal
        self.is_unknown |= is_unknown
