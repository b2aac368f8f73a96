"""What a generation begins with: the picture and the words of the ad, or of the parent variant."""

from adspark.db.engine import Database
from adspark.errors import UnusableContentError
from adspark.generators.base import GenerationRequest, Picture, RemoteRun
from adspark.media.paths import media_type
from adspark.media.store import MediaStore
from adspark.models import AdVariant, Creative
from adspark.net.addresses import find_public_address
from adspark.rules.prompt import write_rules
from adspark.rules.store import RulesInForce
from adspark.variants.result import OriginalAd
from adspark.variants.state import generation_key
from adspark.variants.store import read_original_copy, read_seconds_since, read_variant


async def read_original(database: Database, media: MediaStore, variant: AdVariant) -> OriginalAd:
    """The ad that a variant is compared with. Raises UnusableContentError: it is not rendered.

    Args:
        database: with the ad.
        media: with its picture.
        variant: that is made from it.
    """
    if variant.original_path is None:
        raise UnusableContentError(f"The original of variant {variant.id} is not rendered yet.")
    async with database.session() as session:
        copy = await read_original_copy(session, ad_creative_id=variant.original_ad_id)
    return OriginalAd(await media.read(variant.original_path), copy)


async def build_request(
    database: Database,
    media: MediaStore,
    variant: AdVariant,
    original: OriginalAd,
    rules: RulesInForce | None,
) -> GenerationRequest:
    """What the generator is asked for, with what earlier tries have learnt.

    Args:
        database: where the variant is.
        media: where the pictures are.
        variant: as it is now.
        original: its ad.
        rules: the brand rules that hold for its user; None: there are none.

    Raises:
        UnusableContentError: its parent has no picture.
    """
    picture, words = await _find_beginning(database, media, variant, original)
    async with database.session() as session:
        submitted_for = await read_seconds_since(session, variant.asked_at)
    return GenerationRequest(
        key=generation_key(variant),
        prompt=variant.prompt,
        original=picture,
        original_copy=words,
        rules=None if rules is None else write_rules(rules.rules),
        submitted_at=variant.asked_at,
        submitted_for=submitted_for,
        remote_run=remote_run_of(variant),
    )


async def _find_beginning(
    database: Database, media: MediaStore, variant: AdVariant, original: OriginalAd
) -> tuple[Picture, str | None]:
    """Picture and words that the generator begins with: the parent's, else the ad's.

    Words that were read from the ad's picture are a guess, and the generator has the picture.
    """
    if variant.parent_id is None:
        async with database.session() as session:
            creative = await session.get_one(Creative, variant.original_ad_id)
        address = await find_public_address(creative.image_url)
        name = f"{variant.original_ad_id}.png"
        copy = original.copy
        words = copy.text if copy is not None and copy.is_bought else None
        return Picture(original.picture, "image/png", name, address), words
    async with database.session() as session:
        parent = await read_variant(session, variant_id=variant.parent_id)
    path = parent.image_path
    kind = media_type(path) if path else None
    if path is None or kind is None:
        raise UnusableContentError(f"Variant {parent.id} has no picture to begin with.")
    name = f"variant-{parent.id}.{path.rpartition('.')[2]}"
    return Picture(await media.read(path), kind, name), parent.description


def remote_run_of(variant: AdVariant) -> RemoteRun | None:
    """The service's ids of its generation, where it has accepted one."""
    if variant.receipt_run_id is None:
        return None
    return RemoteRun(variant.receipt_run_id, variant.receipt_task_id)
