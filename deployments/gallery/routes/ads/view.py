"""The page of an ad, as it is shown at first and again after a form that was refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from fastapi.responses import HTMLResponse

from adspark.creatives.boards import list_boards
from adspark.errors import InvalidQueryError, ServiceUnavailableError
from adspark.library.ads.parts import AdPicture
from adspark.library.ads.report import AdReport, read_ad
from adspark.library.marks.of_ad import read_marks
from adspark.library.marks.tags import list_tags
from adspark.media.paths import media_type
from adspark.text.sentences import without_full_stop
from adspark.validation.stored import is_ad_id
from adspark.validation.uuids import parse_uuid
from adspark.variants.reviews.decisions import read_decisions
from deployments.gallery.resources import VisitorPages
from deployments.gallery.routes.ads.timeline import make_timeline
from deployments.gallery.runs import RunProgress, read_progress
from deployments.gallery.typed import read_typed

_MOST_OFFERED = 100  # tags


@dataclass(frozen=True)
class FollowedRun:
    """The run that an address names, and how far it is; nothing where it names none of this ad."""

    run_id: UUID | None = None
    progress: RunProgress | None = None
    is_prefect_away: bool = False


class AdPages(VisitorPages):
    """Shows pages of ads to the visitor of a request."""

    async def show(
        self,
        ad_id: str,
        *,
        status: int = 200,
        problems: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page of an ad; the page that says so where it is not stored.

        Args:
            ad_id: CR and 20 digits.
            status: of the response.
            problems: by the form or field that they stand beside.
            given: what was typed, by field, in place of what is stored.
        """
        followed = await self.follow_run(ad_id)
        ad = await self.read(ad_id)
        if ad is None:
            return self.show_missing(ad_id)
        user_id = self.visitor.user_id
        boards = await list_boards(self.session, user_id=user_id)
        tags = await list_tags(self.session, user_id=user_id)
        return self.page(
            "ad.html",
            status=status,
            problems=problems or {},
            given=given or {},
            marks=await read_marks(self.session, ad_creative_id=ad_id, user_id=user_id),
            versions=[one for one in ad.pictures if _shown_path(one)],
            shown_path=_shown_path,
            boards=[one.name for one in boards if one.name not in ad.boards],
            on_boards=[one for one in boards if one.name in ad.boards],
            decisions=await read_decisions(self.session, ids=[one.id for one in ad.variants]),
            known_tags=list(dict.fromkeys(row.tag for row in tags))[:_MOST_OFFERED],
            timeline=make_timeline(ad, datetime.now(UTC).date()),
            **self.details_of(ad, followed),
        )

    async def read(self, ad_id: str) -> AdReport | None:
        """What is stored of an ad; None where it is not."""
        if not is_ad_id(ad_id):
            return None
        try:
            return await read_ad(self.session, ad_creative_id=ad_id, user_id=self.visitor.user_id)
        except InvalidQueryError:
            return None

    async def follow_run(self, ad_id: str) -> FollowedRun:
        """How far the run is that the address names, where it looks up this ad.

        It is asked for before the database is, so that no connection waits for Prefect.
        """
        if (run_id := parse_uuid(self.request.query_params.get("run", ""))) is None:
            return FollowedRun()
        try:
            run = await read_progress(run_id)
        except ServiceUnavailableError:
            return FollowedRun(run_id, is_prefect_away=True)
        is_of_ad = run is not None and run.parameters.get("ads") == [ad_id]
        return FollowedRun(run_id, run) if run and is_of_ad else FollowedRun()

    def details_of(self, ad: AdReport, followed: FollowedRun) -> dict[str, Any]:
        """What the part on details on demand shows."""
        return {
            "ad": ad,
            "run": followed.progress,
            "run_id": followed.run_id,
            "last_failure": _last_failure(ad, followed.progress),
            "is_prefect_away": followed.is_prefect_away,
            "is_known": ad.details is not None and ad.details.answered_at is not None,
            "searches": self.gallery.searches.known,
        }

    def show_missing(self, ad_id: str) -> HTMLResponse:
        """The page that says that an ad is not stored."""
        return self.page(
            "ad_missing.html",
            status=404,
            ad_id=ad_id,
            is_id=is_ad_id(ad_id),
            typed=read_typed(self.request, self.texts),
        )


AdPagesDep = Annotated[AdPages, Depends()]


def _last_failure(ad: AdReport, run: RunProgress | None) -> str:
    """Why the last attempt failed; empty where the run that is shown says the same."""
    stored = without_full_stop(ad.details.error or "") if ad.details else ""
    return "" if run and stored in run.message else stored


def _shown_path(picture: AdPicture) -> str | None:
    """The picture's place in the media store; its small one where browsers do not show it."""
    if picture.path and media_type(picture.path):
        return picture.path
    return picture.thumbnail
