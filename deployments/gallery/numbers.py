"""Numbers of things as addresses name them."""

from typing import Annotated

from fastapi import Path, Query

from adspark.validation.bounds import LARGEST_ID
from adspark.validation.numbers import Whole

Number = Annotated[Whole, Path(ge=1, le=LARGEST_ID)]
"""The number of a board, watch or variant; any other leads nowhere (404), however long it is."""

After = Annotated[
    Whole | None, Query(ge=1, le=LARGEST_ID, description="`next` of the page before.")
]
"""The number of the last thing of the page before; None for the first page."""
