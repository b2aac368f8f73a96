"""A tool: its name, its arguments, and the question that it answers."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from mcp.types import Tool as ListedTool
from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from deployments.gallery.access.visitor import Visitor
from deployments.gallery.resources import Gallery
from deployments.mcp.answers import Answer

Text = Annotated[str, Field(max_length=500)]
Cursor = Annotated[str, Field(max_length=5000)]


class Arguments(BaseModel):
    """Arguments of a tool; what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def check_only(self, names: Collection[str], what: str) -> None:
        """Raise InvalidQueryError where an argument is given that does not go with what is asked:
        whoever gave it would take the answer for that of another question.

        Args:
            names: of those that do.
            what: what is asked.
        """
        for name, field in type(self).model_fields.items():
            if name not in names and getattr(self, name) != field.get_default():
                raise InvalidQueryError(name, f"does not go with {what}; leave it out.")


@dataclass(frozen=True)
class Asked:
    """What a tool answers with: the data, and who asks."""

    gallery: Gallery
    session: AsyncSession
    visitor: Visitor


@dataclass(frozen=True)
class Tool:
    """A tool.

    Attributes:
        name: by which it is called.
        title: for people.
        description: for the assistant: what it answers.
        arguments: their model.
        answer: the question to the data.
        spends: it may cost money, and is there only where that is allowed.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    answer: Callable[[Asked, Any], Awaitable[Answer]]
    spends: bool = False

    def listed(self) -> ListedTool:
        """The tool as the protocol lists it."""
        schema = self.arguments.model_json_schema()
        return ListedTool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=schema,
            annotations=ToolAnnotations(
                title=self.title,
                read_only_hint=not self.spends,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=self.spends,
            ),
        )


def tool(
    name: str, title: str, *, spends: bool = False
) -> Callable[[Callable[[Asked, Any], Awaitable[Answer]]], Tool]:
    """Make a tool of the function that answers it: its docstring is what the assistant is told.

    Args:
        name: by which it is called.
        title: for people.
        spends: it may cost money.
    """

    def make(answer: Callable[[Asked, Any], Awaitable[Answer]]) -> Tool:
        description = " ".join((answer.__doc__ or "").split())
        arguments = get_type_hints(answer)["arguments"]
        return Tool(name, title, description, arguments, answer, spends)

    return make
