"""Page tokens: opaque, and of use for the query alone that they were made for."""

import base64
import binascii
import hashlib
import hmac

from adspark.sandbox.serpapi.query import Query

_SEAL_LENGTH = 16  # bytes
_OFFSET_LENGTH = 6  # bytes


class PageTokens:
    """Makes and reads tokens. The same seed reads them again after a restart."""

    def __init__(self, seed: int) -> None:
        self._key = hashlib.sha256(f"sandbox page tokens {seed}".encode()).digest()

    def make(self, query: Query, offset: int) -> str:
        """A token for the page that starts at `offset`."""
        place = offset.to_bytes(_OFFSET_LENGTH)
        return base64.b64encode(self._seal(query, place) + place).decode()

    def read(self, query: Query, token: str) -> int | None:
        """Where the token's page starts, or None for garbage and other queries' tokens."""
        try:
            raw = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        seal, place = raw[:_SEAL_LENGTH], raw[_SEAL_LENGTH:]
        genuine = len(place) == _OFFSET_LENGTH and hmac.compare_digest(
            seal, self._seal(query, place)
        )
        return int.from_bytes(place) if genuine else None

    def _seal(self, query: Query, place: bytes) -> bytes:
        message = repr(query).encode() + place
        return hmac.digest(self._key, message, "sha256")[:_SEAL_LENGTH]
