"""What an export came to."""

from pydantic import BaseModel, Field

from adspark.text.counts import counted


def _size(count: int) -> str:
    if count < 2**10:
        return counted(count, "byte")
    return f"{count / 2**20:,.1f} MB" if count >= 2**20 else f"{count // 2**10:,} kB"


class ExportSummary(BaseModel):
    """What was exported; the result of `export-creatives`."""

    place: str = Field(description="Of the file, or its address without a password.")
    ads: int
    bytes: int = Field(description="Of the file.")
    pictures: int | None = Field(default=None, description="Beside it; None: not asked for.")
    missing_pictures: int = Field(default=0, description="That the media store has lost.")
    notes: list[str] = Field(
        default_factory=list, description="What the file does not hold, or was not searched."
    )

    @property
    def headline(self) -> str:
        """What was exported, in one line."""
        line = f"{counted(self.ads, 'ad')} in {self.place} ({_size(self.bytes)})"
        if self.pictures is not None:
            line += f", {counted(self.pictures, 'picture')} beside it"
        if self.missing_pictures:
            are = "is" if self.missing_pictures == 1 else "are"
            line += f"; {counted(self.missing_pictures, 'picture')} {are} not in the media store"
        return line
