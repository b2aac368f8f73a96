"""What clean-up says of what it removed."""

from adspark.maintenance.cleanup import CleanupSummary

LEFT = {"picture_bytes", "strays", "unremoved"}
COUNTS = [
    name
    for name, field in CleanupSummary.model_fields.items()
    if field.annotation is int and name not in LEFT
]


def removed(number: int) -> str:
    return CleanupSummary.model_validate(
        {"dry_run": False, **dict.fromkeys(COUNTS, number)}
    ).headline


def test_one_of_each_and_several_are_told_in_their_number() -> None:
    assert removed(1) == (
        "removed 1 ad, 1 variant, 1 event, 1 detail, 1 advertiser, 1 fetch, 1 generation use, "
        "1 rejected row, 1 message, 1 picture version, 1 picture text, 1 picture, "
        "1 run result (0.0 MB)"
    )
    assert removed(1200) == (
        "removed 1,200 ads, 1,200 variants, 1,200 events, 1,200 details, 1,200 advertisers, "
        "1,200 fetches, 1,200 generation uses, 1,200 rejected rows, 1,200 messages, "
        "1,200 picture versions, 1,200 picture texts, 1,200 pictures, 1,200 run results (0.0 MB)"
    )
    assert removed(0) == "removed nothing"
