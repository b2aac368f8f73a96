"""`adspark variant export`: approved variants for Google Ads, as CSV or as ZIP with pictures."""

import asyncio
from pathlib import Path
from typing import Annotated

from rich.markup import escape
from typer import Argument, Option

from adspark.home.new_file import check_new_file, open_new_file
from adspark.media.store import MediaStore
from adspark.settings import media_url
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.variants.handover.approved import read_approved
from adspark.variants.handover.files import (
    Destination,
    HandOver,
    check_destination,
    write_csv,
    write_zip,
)
from deployments.cli.database import current_settings, in_session
from deployments.cli.options import JsonOption
from deployments.cli.ranges import IDS, ranged
from deployments.cli.variants.documents import VariantsExported
from deployments.terminal.output import out, print_json, print_line
from deployments.terminal.tables import table

SUFFIXES = (".csv", ".zip")


def export(
    file: Annotated[Path, Argument(help="Ends in .csv, or in .zip for pictures as well.")],
    campaign: Annotated[str, Option(help="Of your account in Google Ads.")],
    ad_group: Annotated[str, Option(help="Of that campaign.")],
    final_url: Annotated[str, Option(help="Your page, to which the ads lead.")],
    path_1: Annotated[str, Option("--path-1", help="Shown after the domain.")] = "",
    path_2: Annotated[str, Option("--path-2", help="Shown after that.")] = "",
    batch: Annotated[int | None, ranged(IDS, help="Only of this batch.")] = None,
    force: Annotated[bool, Option("--force", help="Replace a file of this name.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write approved variants as responsive search ads, paused, for Google Ads Editor.

    What does not fit within Google's limits is left out, not cut, and listed with the reason.
    """
    check_new_file(file, SUFFIXES, replaces=force)
    given = Destination(
        campaign=campaign, ad_group=ad_group, final_url=final_url, path_1=path_1, path_2=path_2
    )
    destination = check_destination(given)
    variants = in_session(lambda session: read_approved(session, batch_id=batch))
    with open_new_file(file, SUFFIXES, replaces=force) as stream:
        if file.suffix.lower() == ".csv":
            done = write_csv(stream, variants, destination)
        else:
            media = MediaStore(media_url(current_settings()))
            done = asyncio.run(write_zip(stream, variants, destination, media))
    if as_json:
        print_json(VariantsExported.of(done, file=str(file)))
    else:
        _say(file, done)


def _say(file: Path, done: HandOver) -> None:
    pictures = f" and {counted(done.pictures, 'picture')}" if done.pictures else ""
    print_line(f"{escape(plain(str(file)))}: {counted(done.ads, 'ad')}{pictures}, all paused.")
    if done.left_out:
        cells = [
            {"variant": one.variant, "left out": one.words[:200], "why": one.reason}
            for one in done.left_out
        ]
        out.print(table("Left out, or to be added", cells, wraps="left out"))
