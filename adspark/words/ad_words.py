"""The words that were read from the picture of an ad, and what a person is told of them."""

from datetime import datetime

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import ReadingStatus
from adspark.words.lines import UNKNOWN_SCRIPT
from adspark.words.reader_process import find_missing

_SUREST = 99  # per cent: no reading is certain
# What was read of its present picture, or of the last one before it; else how far that is.
_READ = text("""
    SELECT status, lines, headline, language, script, unread_lines, confidence, engine, read_at,
        failure
    FROM (
        SELECT 1 AS place, * FROM read_words_of(:ad)
        UNION ALL
        SELECT 2 AS place, w.* FROM creative c
            JOIN picture_version v USING (ad_creative_id, content_hash)
            JOIN picture_words w USING (sha256)
        WHERE c.ad_creative_id = :ad
    ) AS found ORDER BY place LIMIT 1
""")


class AdWords(BaseModel):
    """The words of an ad's picture, once `status` is read."""

    status: ReadingStatus
    lines: list[str] = Field(description="From top to bottom.")
    headline: str | None = Field(description="The largest of them: a guess.")
    language: str | None = Field(description="ISO 639, as `en`; None: it cannot be told.")
    script: str | None
    unread_lines: int
    confidence: float | None = Field(description="From 0 to 1.")
    engine: str | None
    read_at: datetime | None
    failure: str | None

    def describe(self) -> str:
        """Whether they were read, how sure that is, and why not."""
        if self.status is ReadingStatus.FAILED:
            return f"could not be read from its picture: {self.failure}"
        if self.status is ReadingStatus.PENDING:
            return describe_unread()
        if self.lines and self.confidence is not None:
            language = f", language {self.language}" if self.language else ""
            sure = f"{min(_SUREST, round(100 * self.confidence))}%"
            return f"read from its picture, {sure} sure{language}{self._unread}"
        if not self.unread_lines:
            return "none: its picture was read and has none"
        return f"its picture has words that were not read{self._unread}"

    @property
    def _unread(self) -> str:
        """What could not be read, where there is something."""
        if not self.unread_lines:
            return ""
        if self.unread_lines <= len(self.lines):
            return f"; {self.unread_lines} more could not be read"
        what = "" if self.script == UNKNOWN_SCRIPT else f" ({self.script})"
        lines = "1 line is" if self.unread_lines == 1 else f"{self.unread_lines} lines are"
        return f"; {lines} in a script{what} that {self.engine} does not know"


def describe_unread() -> str:
    """What is said of the words of a picture that is still to be read."""
    missing = find_missing()
    return f"not read yet{f': {missing}' if missing else ''}"


async def read_ad_words(session: AsyncSession, *, ad_creative_id: str) -> AdWords | None:
    """What was read of an ad's picture, or how far that is; None: it is not in the archive yet."""
    row = (await session.execute(_READ, {"ad": ad_creative_id})).mappings().one_or_none()
    return None if row is None else AdWords.model_validate(row)
