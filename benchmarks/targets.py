"""What a benchmark is held against."""

from pydantic import BaseModel, computed_field


class Target(BaseModel):
    """A ratio with its bound."""

    what: str
    ratio: float
    least: float | None = None
    most: float | None = None

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's manual has it
    @property
    def is_met(self) -> bool:
        """Whether the ratio lies within its bound."""
        return (self.least is None or self.ratio >= self.least) and (
            self.most is None or self.ratio <= self.most
        )

    @property
    def sentence(self) -> str:
        """The target as a line of the report."""
        bound = f"at least {self.least}" if self.least is not None else f"at most {self.most}"
        colour, word = ("green", "met") if self.is_met else ("red", "MISSED")
        return f"[{colour}]{word:6}[/]  {self.what}: {self.ratio:.2f} × (target: {bound} ×)"
