"""What writes rows into a file, in one format or another."""

from collections.abc import Sequence
from typing import Protocol

from adspark.export.reading import Values


class TableWriter(Protocol):
    """Writes a file row by row; nothing of it can be used before it is closed."""

    async def write(self, rows: Sequence[Values]) -> None:
        """Add rows. Raises OSError where the file cannot be written."""

    async def close(self) -> None:
        """Write what is still to be written. Raises OSError."""

    def discard(self) -> None:
        """Let go of the file as it is; also after `close`."""
