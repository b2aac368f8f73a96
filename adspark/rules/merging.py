"""The rules in force for a user: the workspace's, to which the user's own file adds.

Lists of phrases add up, so that nobody's file takes a ban or a disclaimer of the workspace away.
What is one choice (where disclaimers stand, sizes, languages, the bound on similarity, the limits
of a field) is the user's where their file has it, else the workspace's.
"""

from adspark.rules.definition import Rules

_ADDING = (
    "banned_words", "banned_claims", "disclaimers", "off_tone_words", "competitor_names",
    "competitor_marks",
)  # fmt: skip


def merge_rules(workspace: Rules, own: Rules) -> Rules:
    """The rules in force for a user with a file of their own."""
    given = own.model_fields_set
    changes: dict[str, object] = {
        field: list(dict.fromkeys([*getattr(workspace, field), *getattr(own, field)]))
        for field in _ADDING
    }
    for field in ("disclaimer_place", "tone_words", "picture_sizes", "languages", "too_close"):
        if field in given:
            changes[field] = getattr(own, field)
    surfaces = {one: dict(limits) for one, limits in workspace.surfaces.items()}
    for surface, limits in own.surfaces.items():
        surfaces[surface] = surfaces.get(surface, {}) | limits
    return workspace.model_copy(update={**changes, "surfaces": surfaces})
