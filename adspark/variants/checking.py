"""Check a variant by the brand rules in force: its copy, its picture, and the words on that."""

import asyncio
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import AdSparkError, UnknownVariantError
from adspark.media.images import check_picture
from adspark.media.similarity import Similarity
from adspark.media.store import MediaStore
from adspark.models import VariantStatus
from adspark.rules.checks import CheckedAd, CheckedPicture, PictureWords, check_ad
from adspark.rules.store import RulesInForce, read_in_force
from adspark.rules.verdicts import RuleCheck
from adspark.text.counts import counted
from adspark.text.sentences import without_full_stop
from adspark.variants.state import Completion, VariantState
from adspark.variants.store import read_variant
from adspark.words.reader_process import close_reader, read_picture


def find_bound(rules: RulesInForce | None, usual: float) -> float:
    """The similarity from which a variant is marked: the rules', else the usual one."""
    bound = rules.rules.too_close if rules is not None else None
    return usual if bound is None else bound


async def add_check(
    rules: RulesInForce | None, completion: Completion, *, media: MediaStore
) -> Completion:
    """A finished variant with its check; without rules as it was.

    Args:
        rules: in force for its user; None: there are none.
        completion: whose picture is in the media store.
        media: where it is.

    Raises:
        AdSparkError: the picture is gone, or the media store does not work.
    """
    if rules is None:
        return completion
    return completion.model_copy(update={"rule_check": await _check(rules, completion, media)})


async def check_stored(
    session: AsyncSession, *, variant_id: int, media: MediaStore
) -> RuleCheck | None:
    """Check a completed variant by the rules that are in force now, and store that; reviews stay.

    Without rules it stays as it is: what people decided rests on the check that it has.

    Args:
        session: what is read is committed before the check, what is stored is left to the caller.
        variant_id: which one.
        media: where its picture is.

    Returns:
        The check; None: there are no rules.

    Raises:
        UnknownVariantError: there is no such variant, or it is not completed.
        AdSparkError: as `add_check`.
    """
    variant = await read_variant(session, variant_id=variant_id)
    if variant.status != VariantStatus.COMPLETED:
        raise UnknownVariantError(
            f"Variant {variant.id} is {variant.status}; only completed ones are checked."
        )
    rules = await read_in_force(session, user_id=variant.user_id)
    if rules is None:
        return None
    session.expunge(variant)
    await session.commit()
    check = await _check(rules, variant, media)
    if not await VariantState(session, variant).save_check(check):
        raise UnknownVariantError(f"Variant {variant_id} has moved on meanwhile.")
    return check


class _Finished(Protocol):
    """What a check looks at of a variant, finished or stored."""

    description: str | None
    image_path: str | None
    picture_similarity: float | None
    text_similarity: float | None


async def _check(rules: RulesInForce, variant: _Finished, media: MediaStore) -> RuleCheck:
    picture = None
    if variant.image_path is not None:
        content = await media.read(variant.image_path)
        try:
            picture = await look_at_picture(content, reads_words=rules.rules.looks_at_picture_words)
        finally:
            close_reader()  # it takes 400 MB
    highest = Similarity(variant.picture_similarity, variant.text_similarity).highest
    ad = CheckedAd(variant.description, picture, highest)
    return RuleCheck(
        versions=list(rules.versions),
        verdicts=await asyncio.to_thread(check_ad, rules.rules, ad),
        too_close=rules.rules.too_close,
        checked_at=datetime.now(UTC),
    )


async def look_at_picture(content: bytes, *, reads_words: bool) -> CheckedPicture:
    """What rules look at of a picture: its size, and its words or why they are not known.

    Raises:
        AdSparkError: as `check_picture`.
    """
    info = await check_picture(content)
    words = PictureWords(None, "no rule is about the words of the picture")
    if reads_words:
        words = await _read_words(content)
    return CheckedPicture(info.width, info.height, words)


async def _read_words(content: bytes) -> PictureWords:
    try:
        read = await read_picture(content)
    except AdSparkError as error:
        return PictureWords(None, without_full_stop(str(error)))
    unread = f"{counted(read.unread, 'line')} of it could not be read" if read.unread else None
    return PictureWords("\n".join(read.lines), unread)
