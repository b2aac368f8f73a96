"""The words of a variant, made by plain rules from a prompt and what is known of the original."""

import hashlib
import re
from dataclasses import dataclass

from adspark.sandbox.dify.content.originals import Original
from adspark.sandbox.dify.content.themes import read_theme
from adspark.text.shortened import shorten

MARK = "[SANDBOX]"
_NAME_LENGTH = 40  # characters of an advertiser's name
_SNIPPET_LENGTH = 110
_IDEA_LENGTH = 80
_LEGAL_FORM = re.compile(
    r"[\s,]+(inc|llc|ltd|limited|corp|corporation|co|company|gmbh|ag|sa|s\.a|bv|b\.v|plc|pty|usa)"
    r"\.?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Copy:
    """What a variant says.

    Attributes:
        tagline: the end of the body, which can stand alone.
        number: tells variants of one original apart, whose words may be the same.
    """

    headline: str
    body: str
    tagline: str
    call: str
    idea: str
    number: str

    @property
    def text(self) -> str:
        """All of it, marked as made by the sandbox."""
        idea = f"Variant {self.number}: “{self.idea}”" if self.idea else f"Variant {self.number}"
        return f"{MARK} {self.headline}\n{self.body}\n{self.call} →\n{idea}"


def write_copy(prompt: str, original: Original) -> Copy:
    """The copy; the same prompt and original give the same."""
    theme = read_theme(prompt)
    brand = shorten(_plain_name(original.brand), _NAME_LENGTH)
    snippet = shorten(original.snippet, _SNIPPET_LENGTH)
    if snippet and snippet[-1] not in ".!?…":
        snippet = f"{snippet}."
    seed = "\0".join((prompt, original.creative_id, original.brand, original.snippet))
    return Copy(
        headline=theme.headline.replace("{brand}", brand),
        body=f"{snippet} {theme.phrase}".strip(),
        tagline=theme.phrase,
        call=theme.call,
        idea=shorten(prompt, _IDEA_LENGTH),
        number=hashlib.sha256(seed.encode()).hexdigest()[:6].upper(),
    )


def _plain_name(name: str) -> str:
    """Without its legal form: `lululemon athletica inc.` is lululemon athletica."""
    plain = name
    while (shorter := _LEGAL_FORM.sub("", plain).strip()) != plain and shorter:
        plain = shorter
    return plain
