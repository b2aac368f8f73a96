"""The sandbox's counters and faults."""

from tests.support import asking

SANDBOX_KEY = "sandbox-key"


def searches(sandbox_url: str) -> dict[str, int]:
    """The sandbox's counters."""
    counters: dict[str, int] = asking.get(f"{sandbox_url}/sandbox/stats").json()
    return counters


def switch_on(sandbox_url: str, *faults: dict[str, object]) -> None:
    """Make the sandbox misbehave."""
    asking.put(f"{sandbox_url}/sandbox/faults", json=list(faults)).raise_for_status()
