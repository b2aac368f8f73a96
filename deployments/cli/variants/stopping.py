"""Stop what variants that were cancelled have begun: their generations and their runs."""

from collections.abc import Sequence

from adspark.errors import AdSparkError
from adspark.text.counts import counted
from adspark.text.sentences import with_full_stop
from deployments.cli.server import call_server
from deployments.environment.running_stack import find_api_url


def stop(variants: Sequence[int], *, submitted: int) -> list[str]:
    """Stop them where a server runs, which alone can; without it their runs end by themselves.

    Args:
        variants: cancelled ones, which have a generation or a run.
        submitted: how many of them have a generation.

    Returns:
        Why generations were not stopped, one sentence each.
    """
    if not variants:
        return []
    why = "no stack runs that could stop them"
    if find_api_url() is not None:
        from orchestration.runs.variant_runs import stop_variants  # noqa: PLC0415  (slow)

        try:
            return call_server(lambda _: stop_variants(variants))
        except AdSparkError as error:
            why = str(error)
    left = counted(submitted, "generation")
    return [with_full_stop(f"{left} submitted before may go on: {why}")] if submitted else []
