"""The documents that `--json` prints: each names its shape and the shape's version.

A version keeps its fields, their names and types; fields may be added to it.
"""

from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, Field


class Document(BaseModel):
    """What one command, or several, print with `--json`; what each class is made with:

    Attributes:
        SHAPE: name and version, as `watch-list/1`; the field `schema` of what is printed.
        COMMANDS: that print it; none where any command may.
    """

    SHAPE: ClassVar[str]
    COMMANDS: ClassVar[tuple[str, ...]]

    def __init_subclass__(
        cls,
        *,
        shape: str,
        commands: tuple[str, ...] = (),
        **options: Any,  # noqa: ANN401  (pydantic's own)
    ) -> None:
        super().__init_subclass__(**options)
        cls.SHAPE, cls.COMMANDS = shape, commands

    @classmethod
    def of(cls, model: BaseModel, **more: Any) -> Self:  # noqa: ANN401  (its own fields)
        """The document of a model that it extends, with the fields that it adds."""
        return cast("Self", cls.model_construct(**(dict(model) | more)))

    def as_json(self) -> dict[str, Any]:
        """Its fields in JSON's types, after the name of its shape."""
        return {"schema": self.SHAPE, **self.model_dump(mode="json", warnings=False)}


class ErrorDocument(Document, shape="error/1"):
    """Why a command ended: a line on standard error."""

    message: str
    field: str | None = Field(default=None, description="The option or argument that is wrong.")
    exit_code: int = Field(description="1: it failed; 2: the call has to change first.")


class NoteDocument(Document, shape="note/1"):
    """What a command tells while it works: a line on standard error."""

    level: str = Field(description="info or warning.")
    message: str
