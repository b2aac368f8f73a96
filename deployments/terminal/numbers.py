"""Numbers of options: what the ranges of the command line let through."""

import math

import typer


def finite(number: float | None) -> float | None:
    """The number of an option with a range; `nan` is neither below its least nor above its most.

    Raises:
        typer.BadParameter: it is not a number.
    """
    if number is not None and math.isnan(number):
        raise typer.BadParameter("nan is not a number.")
    return number
