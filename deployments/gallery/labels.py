"""The labels of forms' fields, by the name of a field: what texts they have."""

# Fields into which people write, with the names of their labels. A form has others too, such as its
# token, and that of the sign-in has a password: those are never shown.
TYPED = {
    "name": "watch_form.name",
    "title": "ad_page.own_title",
    "note": "board.note",
    "tag": "selection.tag",
    "board": "ad_page.board",
    "new": "ad_page.new_board",
    "advertiser_id": "watch_form.advertiser",
    "advertiser": "watch_form.advertiser",
    "prompt": "request.prompt",
    "comment": "review.comment",
    "overrule_reason": "review.overrule",
    **{
        name: f"export_variants.{name}"
        for name in ("campaign", "ad_group", "final_url", "path_1", "path_2")
    },
    **{
        name: f"watch_form.{name}"
        for name in (
            "text",
            "region",
            "platform",
            "creative_format",
            "interval_minutes",
            "max_pages",
            "monthly_budget",
            "ended_after_days",
            "details_per_sweep",
        )
    },
}

_OTHERS = {
    "ad": "request.ad",
    "ads": "request.ads",
    "days": "board.days",
    "details": "ad_page.details",
    "rating": "review.rating",
    "reason": "review.reasons",
    "workspace": "request.workspace",
}


def label_of(field: str) -> str | None:
    """The text that labels a field; of `note-CR…` that of a note. None where it has none."""
    return (TYPED | _OTHERS).get(field.partition("-")[0])
