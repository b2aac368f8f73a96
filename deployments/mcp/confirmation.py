"""Confirmations: what an act is for and what it costs at most, given back as it was said.

A confirmation is made by this server alone, with a secret of its process, so that nobody can write
one who was not told the price: neither an assistant in one step, nor an ad.
"""

import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from uuid import UUID

from adspark.errors import InvalidQueryError

_WRITTEN = re.compile(r"(.*) \[([0-9]{10})-([0-9a-f]{32})\]", re.DOTALL)


@dataclass(frozen=True)
class Confirmations:
    """Makes confirmations, and knows them again.

    Attributes:
        seconds: for which one counts.
        secret: of the process.
    """

    seconds: float = 900.0
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def make(self, purpose: str, *, act: str) -> str:
        """The confirmation of an act.

        Args:
            purpose: what it is for and what it costs, in a sentence.
            act: all of it, with its user: of another one the confirmation does not count.
        """
        return self._write(purpose, act, int(time.time()))

    def check(self, written: str, purpose: str, *, act: str) -> UUID:
        """The key of the act that is confirmed: the same however often it is confirmed.

        Args:
            written: the confirmation as it was given back.
            purpose: as it is now.
            act: as it is now.

        Raises:
            InvalidQueryError: it is another one, or too old; nothing was spent.
        """
        found = _WRITTEN.fullmatch(written.strip())
        moment = int(found[2]) if found else 0
        expected = self._write(purpose, act, moment)
        if not hmac.compare_digest(expected.encode(), written.strip().encode(errors="replace")):
            raise InvalidQueryError(
                "confirmation",
                "is not that of this act at its present price; nothing was spent. Leave it out to "
                "be told the price, and give back what is said then, unchanged.",
            )
        if time.time() - moment > self.seconds:
            raise InvalidQueryError(
                "confirmation",
                "is older than a quarter of an hour; nothing was spent. Leave it out to be told "
                "the price anew.",
            )
        return UUID(bytes=hmac.digest(self.secret, expected.encode(), "sha256")[:16])

    def _write(self, purpose: str, act: str, moment: int) -> str:
        signed = hmac.digest(self.secret, f"{moment}\0{purpose}\0{act}".encode(), "sha256")
        return f"{purpose} [{moment:010d}-{signed.hex()[:32]}]"
