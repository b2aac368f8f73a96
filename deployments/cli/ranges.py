"""Options and arguments that are numbers within bounds."""

import math
from typing import Any

from typer import Argument, BadParameter, Option

from adspark.validation.bounds import LARGEST_ID, Range

IDS = Range(1, LARGEST_ID)


def ranged(within: Range, *names: str, help: str, metavar: str | None = None) -> Any:  # noqa: A002, ANN401
    """An option for a number within bounds, under these names or its parameter's.

    Args:
        within: the bounds.
        names: of the option.
        help: for `--help`.
        metavar: what stands for the number in `--help`.
    """
    return Option(
        *names, min=within.least, max=within.most, callback=_finite, metavar=metavar, help=help
    )


def ranged_argument(within: Range, *, help: str, metavar: str | None = None) -> Any:  # noqa: A002, ANN401
    """The same for an argument.

    Args:
        within: the bounds.
        help: for `--help`.
        metavar: what stands for the number in `--help`.
    """
    return Argument(min=within.least, max=within.most, callback=_finite, metavar=metavar, help=help)


def _finite(number: float | None) -> float | None:
    """Refuse `nan`, which is neither below the least nor above the most."""
    if number is not None and math.isnan(number):
        raise BadParameter("nan is not a number.")
    return number
