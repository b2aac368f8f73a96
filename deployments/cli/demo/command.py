"""`adspark demo` as help shows it; what it does is imported when it is run."""

from typing import Annotated

from typer import Option

from adspark.settings import get_settings
from deployments.cli.options import EndsWithJsonOption


def demo(
    keep: Annotated[
        bool, Option("--keep", help="Leave the stack running, to look around.")
    ] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Show it all: a stack on the sandbox, real ads fetched by deployment, what was stored."""
    from deployments.cli.demo.run import run_demo  # noqa: PLC0415  (slow)

    run_demo(get_settings(), keep=keep, as_json=as_json)
