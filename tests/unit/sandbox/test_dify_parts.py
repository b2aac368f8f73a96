"""Parts of the sandbox's Dify: faults, shapes."""

import pytest
from pydantic import ValidationError

from adspark.sandbox.dify.faults import DifyFault, DifyFaultBox, DifyFaultKind
from adspark.sandbox.dify.shape import WorkflowShape

Kind = DifyFaultKind


def test_faults_keep_to_their_requests_and_their_numbers() -> None:
    faults = [
        DifyFault(kind=Kind.UPLOAD_ERROR, times=1),
        DifyFault(kind=Kind.SLOW, after=1, times=1),
        DifyFault(kind=Kind.QUOTA, after=2),
        DifyFault(kind=Kind.NO_PICTURE),
    ]
    box = DifyFaultBox(faults, seed=0)
    assert [set(box.draw_for_run()) for _ in range(3)] == [
        {Kind.NO_PICTURE},
        {Kind.SLOW, Kind.NO_PICTURE},
        {Kind.QUOTA},
    ]
    assert [box.draw_for_upload() for _ in range(2)] == [True, False]


def test_the_same_seed_hits_the_same_runs() -> None:
    def draw() -> list[bool]:
        box = DifyFaultBox([DifyFault(kind=Kind.SLOW, probability=0.5)], seed=3)
        return [bool(box.draw_for_run()) for _ in range(64)]

    assert draw() == draw()
    assert {True, False} == set(draw())


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "latency"},
        {"kind": "quota", "seconds": 1},
        {"kind": "slow", "probability": 2},
        {"kind": "slow", "times": 0},
        {"kind": "slow", "extra": 1},
    ],
)
def test_nonsense_is_no_fault(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DifyFault.model_validate(given)


@pytest.mark.parametrize(
    "given", [{"outputs": "else"}, {"picture_input": {"kind": "number"}}, {"prompt_max_length": 0}]
)
def test_nonsense_is_no_shape(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WorkflowShape.model_validate(given)
