"""Keep passwords out of logs, whatever a library writes there at whatever level.

Clients and servers of HTTP and WebSockets log what they send and receive where they are told to;
that holds the password of Prefect's API, plain and encoded. It is masked where records are made,
which every logger and handler of a process has in common.
"""

import base64
import logging
import os
from urllib.parse import quote

from deployments.masking import MASK, mask_text

_PASSWORDS = ("PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
_SHORTEST = 4  # characters of what is masked wherever it stands


def mask_logs() -> None:
    """Mask all that this process logs from now on; the passwords are those of its environment."""
    secrets = _find_secrets()

    class MaskedRecord(logging.LogRecord):
        """A record whose message holds no password."""

        def getMessage(self) -> str:  # noqa: N802  (logging's)
            message = super().getMessage()
            for secret in secrets:
                message = message.replace(secret, MASK)
            return mask_text(message)

    logging.setLogRecordFactory(MaskedRecord)


def _find_secrets() -> list[str]:
    """In all ways in which they are written, longer ones first."""
    found: set[str] = set()
    for name in _PASSWORDS:
        whole = os.environ.get(name, "")
        for plain in (whole, whole.partition(":")[2]):
            encoded = base64.b64encode(plain.encode()).decode()
            found |= {plain, encoded, encoded.rstrip("="), quote(plain, safe="")}
    return sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True)
