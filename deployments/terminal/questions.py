"""Questions to a person, on standard error: standard output is the command's result."""

import typer


def confirm(question: str) -> None:
    """Go on only if a person says yes; raises typer.Abort where they do not, or nobody is there."""
    typer.confirm(question, abort=True, err=True)
