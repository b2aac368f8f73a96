"""How long a batch is said to take, and by what."""

import pytest

from adspark.variants.batches.forecast import Durations, GenerationLimits, forecast

MEASURED, NOTHING = Durations(cases=50, seconds=30.0), Durations(cases=0, seconds=None)


@pytest.mark.parametrize(
    ("generations", "ahead", "durations", "limits", "seconds", "words"),
    [
        (200, 0, MEASURED, (30, 1), 6000, "About 100 min: 30 s each, the median of 50 variants"),
        (200, 40, MEASURED, (30, 4), 1800, "4 at once, 30 a minute at most, behind 40 open"),
        (200, 0, MEASURED, (1, 4), 11940, "About 3 h 19 min"),
        (200, 0, MEASURED, (30, None), 360, "30 s each"),
        (200, 0, NOTHING, (30, 1), 360, "At least 6 min (1 at once, 30 a minute at most); how"),
        (1, 0, NOTHING, (None, None), 0, "At least 1 s (no limits)"),
        (200, 0, MEASURED, (0, 1), None, "A limit is 0"),
        (200, 0, MEASURED, (30, 0), None, "A limit is 0"),
    ],
)
def test_a_forecast_keeps_to_the_limit_that_bounds_it(
    generations: int,
    ahead: int,
    durations: Durations,
    limits: tuple[int | None, int | None],
    seconds: float | None,
    words: str,
) -> None:
    per_minute, at_once = limits
    made = forecast(
        generations,
        ahead=ahead,
        durations=durations,
        limits=GenerationLimits(per_minute=per_minute, at_once=at_once),
    )
    assert made.seconds == seconds
    assert words in made.sentence


def test_nothing_is_foretold_of_a_paused_pool() -> None:
    limits = GenerationLimits(per_minute=30, paused_pool="ai-generation")
    made = forecast(200, ahead=0, durations=MEASURED, limits=limits)
    assert made.seconds is None
    assert made.sentence.startswith("Pool ai-generation is paused; resume it with: ")
