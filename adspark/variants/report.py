"""A variant as Markdown: original and variant side by side, as the UI shows it under Artifacts."""

import base64

from adspark.errors import AdSparkError
from adspark.markdown import escape_markdown
from adspark.media.images import shrink_picture
from adspark.media.store import MediaStore
from adspark.rules.verdicts import RuleCheck, Verdict
from adspark.text.sentences import without_full_stop
from adspark.variants.store import VariantSummary

_MARKS = {
    Verdict.PASSED: "passed",
    Verdict.FAILED: "**failed**",
    Verdict.NOT_CHECKED: "not checked",
}
WIDEST = 320  # pixels of a picture in the page, of which two fit side by side


async def write_variant(media: MediaStore, variant: VariantSummary, *, width: int = WIDEST) -> str:
    """The page of a variant, its pictures inside, so that it shows wherever it is opened.

    Of a picture that is gone, or cannot be read now, it says so instead.

    Args:
        media: where its pictures are.
        variant: what is shown.
        width: pixels of each picture at most; the whole ones are in the media store.
    """
    lines = [f"## Variant {variant.id} of {variant.original_ad_id}", ""]
    lines += [f"**Prompt:** {escape_markdown(variant.prompt)}", ""]
    lines += ["| Original | Variant |", "| --- | --- |"]
    lines += [
        f"| {await _show(media, variant.original_path, 'original', width)} "
        f"| {await _show(media, variant.image_path, 'variant', width)} |",
        "",
    ]
    if variant.description:
        copy = [escape_markdown(line) for line in variant.description.strip().splitlines()]
        # Two spaces at its end keep a line of copy a line.
        lines += ["### Copy", "", *(f"> {line}  " if line else ">" for line in copy), ""]
    if variant.rule_check is not None:
        lines += _write_check(variant.rule_check)
    lines += [f"- {fact}" for fact in _describe(variant)]
    if variant.image_path:
        lines += [f"- Picture: `{media.locate(variant.image_path)}`"]
    if variant.original_path:
        lines += [f"- Original: `{media.locate(variant.original_path)}`"]
    return "\n".join(lines) + "\n"


def _write_check(check: RuleCheck) -> list[str]:
    """The verdicts, rule by rule, those that failed first."""
    lines = ["### Brand rules", "", f"{check.headline}.", ""]
    lines += ["| Rule | Verdict | Why |", "| --- | --- | --- |"]
    lines += [
        f"| {one.name} | {_MARKS[one.verdict]} | {escape_markdown(one.reason)} |"
        for one in sorted(check.verdicts, key=lambda one: one.verdict.rank)
    ]
    return [*lines, ""]


def describe_similarity(variant: VariantSummary) -> str:
    """How close the variant is to its original, and whether that is too close."""
    shares = {"picture": variant.picture_similarity, "copy": variant.text_similarity}
    known = [f"{name} {share:.0%}" for name, share in shares.items() if share is not None]
    shown = ", ".join(known) or "not known"
    return f"{shown}; too close" if variant.is_too_close else shown


def _describe(variant: VariantSummary) -> list[str]:
    facts = [f"Status: {variant.status}"]
    if variant.confidence_score is not None:
        facts.append(f"Confidence: {variant.confidence_score:.0%}")
    facts.append(f"Similarity to the original: {describe_similarity(variant)}")
    if variant.problem:
        facts.append(f"Mind: {escape_markdown(variant.problem)}")
    if variant.error:
        facts.append(f"Error: {escape_markdown(variant.error)}")
    if variant.generator:
        facts.append(f"Made by: {variant.generator}, attempt {variant.attempt}")
    return facts


async def _show(media: MediaStore, path: str | None, name: str, width: int) -> str:
    if path is None:
        return "none"
    try:
        small = await shrink_picture(await media.read(path), width)
    except AdSparkError as error:
        return f"cannot be shown: {escape_markdown(without_full_stop(str(error)))}"
    return f"![{name}](data:image/jpeg;base64,{base64.b64encode(small).decode()})"
