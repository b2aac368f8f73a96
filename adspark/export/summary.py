"""What an export came to."""

from pydantic import BaseModel, Field


class ExportSummary(BaseModel):
    """What was exported; the result of `export-creatives`."""

    place: str = Field(description="Of the file, or its address without a password.")
    ads: int
    bytes: int = Field(description="Of the file.")
    pictures: int | None = Field(default=None, description="Beside it; None: not asked for.")
    missing_pictures: int = Field(default=0, description="That the media store has lost.")
    notes: list[str] = Field(default_factory=list, description="What the file does not hold.")

    @property
    def headline(self) -> str:
        """What was exported, in one line."""
        ads = "1 ad" if self.ads == 1 else f"{self.ads:,} ads"
        line = f"{ads} in {self.place} ({self.bytes / 2**20:,.1f} MB)"
        if self.pictures is not None:
            line += f", {self.pictures:,} pictures beside it"
        if self.missing_pictures:
            line += f"; {self.missing_pictures:,} pictures are not in the media store"
        return line
