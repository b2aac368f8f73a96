"""The forms of the pages, in all templates."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[3] / "deployments" / "gallery" / "templates"

# A field, or the macro of a board's forms with its version.
_VERSION = re.compile(r'name="(?:version|seen_at)"|hidden\("move"|hidden\([^()]*version')


def test_a_browser_puts_old_values_back_only_where_no_version_stands_beside_them() -> None:
    """With the button that leads back, Chromium does. A form that carries the newest version would
    then replace without a word what somebody else has changed; in others, the user's ticks and
    texts would be lost without it."""
    forms = [
        (start, bool(_VERSION.search(content)))
        for template in TEMPLATES.glob("*.html")
        for start, content in re.findall(
            r'(<form\b[^>]*method="post"[^>]*)(.*?</form>)', template.read_text(), flags=re.DOTALL
        )
    ]
    assert len(forms) > 20
    assert [
        one for one, has_version in forms if has_version != (' autocomplete="off"' in one)
    ] == []
