"""The rules in force as plain text, for a generator that takes them beside the prompt."""

from adspark.rules.definition import DisclaimerPlace, Rules

_PLACES = {
    DisclaimerPlace.COPY: "in the copy",
    DisclaimerPlace.PICTURE: "on the picture",
    DisclaimerPlace.EITHER: "in the copy or on the picture",
}


def write_rules(rules: Rules) -> str:
    """The rules, a line each, those first that have no other text in them."""
    lines = []
    if rules.disclaimers:
        place = _PLACES[rules.disclaimer_place]
        lines.append(f"Required word for word {place}: {' | '.join(rules.disclaimers)}")
    if rules.languages:
        lines.append(f"Languages: {', '.join(rules.languages)}")
    for surface in rules.surfaces:
        limits = rules.limits_of(surface).items()
        listed = ", ".join(f"{field.value.replace('_', ' ')} {most}" for field, most in limits)
        lines.append(f"Characters at most ({surface.value.replace('_', ' ')} ads): {listed}")
    if rules.picture_sizes:
        lines.append(f"Size of the picture, one of: {', '.join(rules.picture_sizes)}")
    if rules.tone_words:
        lines.append(f"Use at least one of: {', '.join(rules.tone_words)}")
    for never in ("banned_words", "banned_claims", "competitor_names", "competitor_marks"):
        if phrases := getattr(rules, never):
            lines.append(f"Never write ({never.replace('_', ' ')}): {', '.join(phrases)}")
    if rules.off_tone_words:
        lines.append(f"Not our tone: {', '.join(rules.off_tone_words)}")
    return "\n".join(lines)
