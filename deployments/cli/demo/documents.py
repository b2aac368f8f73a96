"""What the demo prints with `--json`."""

from typing import Generic, TypeVar

from pydantic import BaseModel

from adspark.creatives.fetch import FetchSummary
from adspark.notifications.digest import DigestSummary
from adspark.variants.store import VariantSummary
from adspark.watches.check import WatchSummary
from deployments.cli.demo.library import LibraryAd
from deployments.terminal.documents import Document

_Summary = TypeVar("_Summary", bound=BaseModel)


class DemoRun(BaseModel, Generic[_Summary]):
    """A run of the demo, by deployment."""

    name: str
    flow_run_id: str
    seconds: float
    summary: _Summary


class DemoVariant(BaseModel):
    """The demo's variant, and the files of its pictures."""

    original: str
    picture: str
    seconds: float
    summary: VariantSummary


class DemoDocument(Document, shape="demo/1", commands=("demo",)):
    """What the demo fetched, noticed, read and made."""

    steps: list[DemoRun[FetchSummary]]
    looks: list[DemoRun[WatchSummary]]
    digest: DigestSummary
    ad: LibraryAd
    variant: DemoVariant
    stored: int
    searches_billed: int
    start_seconds: float
    seconds: float
    gallery_url: str | None
    ui_url: str | None
