"""The reasoning of a model, taken out of its answer.

Models write their reasoning between tags; a gateway may keep it out of the answer, or not.
"""

import re
from collections.abc import Iterable, Iterator

_NAMES = (
    "think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection", "analysis",
    "scratchpad", "inner_monologue",
)  # fmt: skip
_TAG = re.compile(
    rf"(?:<|&lt;)\s{{0,9}}(/?)\s{{0,9}}(?:\w{{1,20}}:)?({'|'.join(_NAMES)})"
    r"(?:\s[^<>]{0,200})?\s{0,9}(?:>|&gt;)|[\[◁](/?)think(?:ing)?[\]▷]",
    re.IGNORECASE,
)
# As Dify shows reasoning: a part that a reader may fold away.
_DETAILS = re.compile(
    r"<(/?)details\b[^<>]{0,400}>(\s{0,99}<summary\b[^<>]{0,99}>\s{0,9}(?:think|reason|thought))?",
    re.IGNORECASE,
)
# As OpenAI's open models write it: parts of a message, each in a channel.
_CHANNEL = re.compile(r"<\|channel\|>\s{0,9}(\w{1,30})[^<>]{0,200}<\|message\|>")
# Of a tag that breaks off; fewer letters, or a blank before them, are words of the copy.
_BEGUN = re.compile(r"</?([a-z_]{3,20})$", re.IGNORECASE)
_SURE = ("think", "thinking")  # names that no copy has as a placeholder


def without_reasoning(text: str) -> str:
    """The answer alone; what was cut off in the middle of the reasoning has none."""
    answer = _without_channels(text)
    answer, _ = _cut(answer, _tags(answer))
    answer, _ = _cut(answer, _details(answer))
    begun = _begun_tag(answer)
    return (answer[: begun.start()] if begun else answer).strip()


def breaks_off(text: str) -> bool:
    """Whether a text ends within its reasoning, or within a tag of it."""
    return (
        _cut(text, _tags(text))[1]
        or _cut(text, _details(text))[1]
        or _begun_tag(text.rstrip()) is not None
    )


_Tag = tuple[int, int, bool]
"""Where a tag begins, where it ends, and whether it opens."""


def _begun_tag(text: str) -> re.Match[str] | None:
    """The tag that a text breaks off in."""
    begun = _BEGUN.search(text, max(0, len(text) - 40))
    is_named = begun and any(name.startswith(begun[1].lower()) for name in _NAMES)
    return begun if is_named else None


def _tags(text: str) -> Iterator[_Tag]:
    """All that open or close reasoning; within a line, `<reason>` without an end is a word."""
    found = list(_TAG.finditer(text))
    names = [(tag[2] or "think").lower() for tag in found]
    opened, unclosed = list[int](), list[int]()
    for place, tag in enumerate(found):
        if not (tag[1] or tag[3]):
            opened.append(place)
            continue
        if len(opened) > 1 and names[opened[-1]] != names[place] == names[opened[-2]]:
            unclosed.append(opened.pop())
        if opened:
            opened.pop()
    words = {
        place
        for place in (*unclosed, *opened)
        if names[place] not in _SURE and _is_within_line(text, found[place].start())
    }
    for place, tag in enumerate(found):
        if place not in words:
            yield tag.start(), tag.end(), not (tag[1] or tag[3])


def _is_within_line(text: str, position: int) -> bool:
    return bool(text[max(0, position - 99) : position].rpartition("\n")[2].strip())


def _details(text: str) -> Iterator[_Tag]:
    """Those whose heading says that they hold reasoning, and what lies within these."""
    is_within = 0
    for found in _DETAILS.finditer(text):
        if not found[1] and (found[2] or is_within):
            is_within += 1
            yield found.start(), found.end(), True
        elif found[1] and is_within:
            is_within -= 1
            yield found.start(), found.end(), False


def _cut(text: str, tags: Iterable[_Tag]) -> tuple[str, bool]:
    """The text outside of all tags, and whether the last one has no end; an end without a
    beginning ends what the prompt has begun."""
    kept, position, depth, has_begun = list[str](), 0, 0, False
    for start, end, opens in tags:
        if depth == 0:
            kept.append(text[position:start])
        if opens:
            depth, has_begun = depth + 1, True
        elif depth:
            depth -= 1
        elif not has_begun:
            kept, has_begun = [], True
        position = end
    if depth == 0:
        kept.append(text[position:])
    return "".join(kept), depth > 0


def _without_channels(text: str) -> str:
    """What stands in the channel `final`, where a text has channels."""
    found = list(_CHANNEL.finditer(text))
    if not found:
        return text
    ends = [one.start() for one in found[1:]] + [len(text)]
    parts = zip(found, ends, strict=True)
    final = [text[one.end() : end] for one, end in parts if one[1].lower() == "final"]
    return "\n\n".join(one.partition("<|")[0] for one in final)
