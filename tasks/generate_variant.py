"""The task that generates a variant, with its progress in the UI."""

from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger

from adspark.media.store import MediaStore
from adspark.net.addresses import AddressRules
from adspark.net.downloads import Downloader
from adspark.settings import get_settings, media_url
from adspark.variants.generate import GenerationDeps, generate
from adspark.variants.store import VariantSummary
from blocks.adspark_database import connect_database
from blocks.generators import open_generator
from orchestration.limits.rate_limits import generation_slots
from orchestration.limits.retry_policy import retried_task
from orchestration.limits.time_limits import time_limit


@retried_task()
@time_limit("generation_time_limit")
async def generate_variant(variant_id: int, generator: str) -> VariantSummary:
    """Generate the variant, whose original is rendered; a retry resumes the same generation."""
    settings = get_settings()
    progress = _Progress(variant_id)
    async with (
        connect_database() as database,
        open_generator(generator) as opened,
        Downloader(AddressRules((*settings.trusted_hosts, *opened.hosts))) as downloader,
    ):
        deps = GenerationDeps(
            database=database,
            media=MediaStore(media_url(settings)),
            generator=opened,
            downloader=downloader,
            too_close=settings.too_close,
            gate=await generation_slots(database),
            progress=progress.show,
        )
        summary = await generate(deps, variant_id=variant_id)
        await progress.show(1.0, summary.headline)
        return summary


class _Progress:
    """The progress in the UI, and a line in the log for each step."""

    def __init__(self, variant_id: int) -> None:
        self._key = f"variant-{variant_id}-progress"
        self._log = get_run_logger()
        self._artifact: UUID | None = None
        self._doing = ""

    async def show(self, done: float, doing: str) -> None:
        """Bring the progress up to date."""
        if doing != self._doing:
            self._log.info("%3.0f %%: %s", 100 * done, doing)
        self._doing = doing
        if self._artifact is None:
            self._artifact = await acreate_progress_artifact(
                100 * done, key=self._key, description=doing
            )
        else:
            await aupdate_progress_artifact(self._artifact, 100 * done, description=doing)
