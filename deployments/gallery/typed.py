"""What was typed into a form that cannot be shown again, as the page that says so shows it."""

from fastapi import Request

from deployments.gallery.forms import Form
from deployments.gallery.texts import Texts

# Fields into which people write, with the names of their labels. A form has others too, such as its
# token, and that of the sign-in has a password: those are never shown.
_LABELS = {
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


def read_typed(request: Request, texts: Texts) -> list[tuple[str, str]]:
    """Label and text of what was typed into the form of a request; of a form that was not read, or
    that this visitor has not sent, nothing."""
    form = getattr(request.state, "form", None)
    if not isinstance(form, Form):
        return []
    return [
        (texts(label), written)
        for name, label in _LABELS.items()
        for written in form.all_written(name)
        if written.strip()
    ]
