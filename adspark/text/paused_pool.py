"""What whoever waits for a run is told where its pool is paused."""


def describe_paused(pool: str) -> str:
    """That nothing begins in a pool, and what to do: one sentence, without its stop."""
    return f"Pool {pool} is paused; resume it with: adspark resume {pool}"
