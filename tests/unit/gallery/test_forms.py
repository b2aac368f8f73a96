"""The forms of the pages, in all templates."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[3] / "deployments" / "gallery" / "templates"


def test_no_browser_puts_old_values_over_a_form_that_was_loaded_anew() -> None:
    """With the button that leads back, Chromium would: then the form carries the newest version,
    and what somebody else has changed meanwhile is replaced without a word."""
    forms = [
        form
        for template in TEMPLATES.glob("*.html")
        for form in re.findall(r'<form\b[^>]*method="post"[^>]*', template.read_text())
    ]
    assert len(forms) > 20
    assert [form for form in forms if ' autocomplete="off"' not in form] == []
