"""`adspark variant`: request variants of stored ads, show, review, retry and cancel them."""

import typer

from deployments.cli.variants.exporting import export
from deployments.cli.variants.requesting import cancel, request, retry
from deployments.cli.variants.reviewing import check, review
from deployments.cli.variants.showing import list_all, open_picture, outcomes, show, stats

app = typer.Typer()

app.command()(request)
app.command("list")(list_all)
app.command()(show)
app.command("open")(open_picture)
app.command()(retry)
app.command()(cancel)
app.command()(check)
app.command()(review)
app.command()(export)
app.command()(stats)
app.command()(outcomes)
