"""The task that turns the original of a variant into a picture."""

from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.rendering.renderer import configured_renderer
from adspark.settings import get_settings, media_url
from adspark.variants.generate import ensure_original
from blocks.adspark_database import connect_database
from orchestration.limits.retry_policy import retried_task


@retried_task()
async def render_original(variant_id: int) -> str:
    """Render the original ad and save it, unless it is saved; returns its path in the store."""
    settings = get_settings()
    rules = AddressRules(settings.trusted_hosts)
    async with (
        connect_database() as database,
        configured_renderer(rules, settings) as renderer,
    ):
        media = MediaStore(media_url(settings))
        return await ensure_original(database, media, renderer, variant_id=variant_id)
