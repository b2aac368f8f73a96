"""How the workflow app is built: what its form asks for and what its outputs look like."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Outputs(StrEnum):
    """Where the outputs hold the picture."""

    GUIDE = "guide"
    MARKDOWN = "markdown"
    FILE = "file"
    FILE_LIST = "file_list"
    RELATIVE = "relative"
    NOTHING = "nothing"
    NONE = "none"


class Lists(StrEnum):
    """Which runs the log shows: from their beginning, from their end as older Difys do, or no
    answer at all."""

    BEGUN = "begun"
    ENDED = "ended"
    NOTHING = "nothing"


class PictureInput(BaseModel):
    """The input that takes the original's picture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,29}$")] = "url"
    kind: Literal["text-input", "paragraph", "file", "file-list"] = "text-input"


class WorkflowShape(BaseModel):
    """How the workflow is built; the defaults are the guide's.

    Attributes:
        picture_input: name and kind of the input for the original's picture.
        prompt_max_length: characters of a prompt.
        outputs: where the outputs hold the picture.
        lists: which runs the log shows.
        lags: a run's detail goes on saying that it runs, though it has ended.
        status: under which a run ends that went well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    picture_input: PictureInput = PictureInput()
    prompt_max_length: Annotated[int, Field(ge=1)] = 2000
    outputs: Outputs = Outputs.GUIDE
    lists: Lists = Lists.BEGUN
    lags: bool = False
    status: str = "succeeded"
