"""`adspark ads`: search the stored ads, look at one, and write tags, titles and notes on them.

They are those of the running stack, else of the configured database. Only `details` spends
searches, and needs Prefect.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.errors import InvalidQueryError
from adspark.library.ads.report import read_ad
from adspark.library.ads.similar import LIMIT as SIMILAR_LIMIT
from adspark.library.ads.similar import find_similar
from adspark.library.filters.written import WrittenFilters
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.tags import list_tags, share_tag, tag_ads, untag_ads
from adspark.library.search.cursor import Sort
from adspark.library.search.page import LIMIT, AdPage, search_ads
from adspark.media.store import MediaStore
from adspark.models import DEFAULT_USER
from adspark.settings import media_url
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.text.visible import is_blank
from adspark.users.remedies import for_user
from adspark.validation.stored import clean_ad_id
from deployments.cli.ads.details import details
from deployments.cli.ads.documents import (
    AdDocument,
    FoundAds,
    MarkChanged,
    SimilarAdDocument,
    SimilarAdsDocument,
    TagChanged,
    TagList,
)
from deployments.cli.ads.export import export
from deployments.cli.ads.filters import UserOption, takes_filters
from deployments.cli.ads.tables import print_ad, print_page, print_similar, print_tags
from deployments.cli.arguments import check_ad_first, check_name_first
from deployments.cli.database import current_settings, in_session
from deployments.cli.options import JsonOption, choice_option
from deployments.cli.ranges import ranged
from deployments.terminal.output import print_json, print_line

_SHOWN = 20  # ads of a page, by default

Ad = Annotated[str, Argument(metavar="AD", parser=clean_ad_id, help="CR and 20 digits.")]
Ads = Annotated[
    list[str] | None, Argument(metavar="AD", parser=clean_ad_id, help="CR and 20 digits each.")
]
SharedOption = Annotated[
    bool | None, Option("--shared/--own", help="All users see it, or not; at first not.")
]
RemoveOption = Annotated[bool, Option("--remove", help="Take it away instead.")]

app = typer.Typer()


@app.command()
@takes_filters
def search(
    query: Annotated[
        list[str] | None, Argument(help='Words, "a phrase", begin*, -without, one or another.')
    ] = None,
    *,
    filters: WrittenFilters,
    sort: Annotated[
        Sort | None,
        choice_option(Sort, "--sort", "The order, at first relevance with words, newest without."),
    ] = None,
    limit: Annotated[int, ranged(LIMIT, help="How many.")] = _SHOWN,
    after: Annotated[str | None, Option(help="`next` of the page before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Search the stored ads; all words and filters have to match.

    A query in quotes reaches the command as it is; one that begins with - goes after --.
    """

    async def act(session: AsyncSession) -> AdPage:
        return await search_ads(
            session,
            query=" ".join(query or []),
            filters=await filters.resolve(session),
            sort=sort,
            limit=limit,
            after=after,
        )

    page = in_session(act)
    print_json(FoundAds.of(page)) if as_json else print_page(page)


app.command()(export)


@app.command()
def show(ad: Ad, user: UserOption = DEFAULT_USER, as_json: JsonOption = False) -> None:
    """Show everything that is stored about an ad."""
    report = in_session(lambda session: read_ad(session, ad_creative_id=ad, user_id=user))
    if as_json:
        print_json(AdDocument.of(report))
    else:
        print_ad(report, MediaStore(media_url(current_settings())))


app.command()(details)


@app.command()
def similar(
    ad: Ad,
    limit: Annotated[int, ranged(SIMILAR_LIMIT, help="How many.")] = _SHOWN,
    as_json: JsonOption = False,
) -> None:
    """List stored ads that look like one, or have most of its words, and why."""
    found = in_session(lambda session: find_similar(session, ad_creative_id=ad, limit=limit))
    if as_json:
        ads = [SimilarAdDocument.model_construct(**dict(one)) for one in found.ads]
        print_json(SimilarAdsDocument(ads=ads, notes=found.notes))
    else:
        print_similar(found)


@app.command()
def tag(
    name: Annotated[
        str | None, Argument(metavar="TAG", help="None: list the user's and shared ones.")
    ] = None,
    ads: Ads = None,
    remove: RemoveOption = False,
    shared: SharedOption = None,
    user: UserOption = DEFAULT_USER,
    as_json: JsonOption = False,
) -> None:
    """Tag stored ads, all of them or, at a mistake, none; they stay at clean-up.

    A tag is shared on all ads that have it; --shared and --own take ads, or none.
    """
    if name is None:
        _check_only_listed(shared, remove, user)
        tags = in_session(lambda session: list_tags(session, user_id=user))
        print_json(TagList(tags=tags)) if as_json else print_tags(tags, user)
        return
    if not ads and shared is None:
        call = f"adspark ads tag {name[:40]!r} CR…{for_user(user)}"
        raise InvalidQueryError("ads", f"name the ads: {call}")
    check_name_first("tag", name, ads or [])
    _check_sharing(shared, remove)
    change = untag_ads if remove else tag_ads

    async def act(session: AsyncSession) -> list[str]:
        changed = await change(session, user_id=user, tag=name, ids=ads or [])
        if shared is not None:
            await share_tag(session, user_id=user, tag=name, is_shared=shared)
        return changed

    changed = in_session(act, commits=True, acts_for=[user])
    if as_json:
        print_json(TagChanged(changed=changed))
        return
    if ads:
        _say_tagged(name, ads, changed, remove)
    if shared is not None:
        seen = "all users see it" if shared else "only its user sees it"
        print_line(f"The tag {_shown(name)}: {seen}.")


@app.command()
def note(
    ad: Ad,
    text: Annotated[str | None, Argument(help="The note; it replaces the one before.")] = None,
    remove: RemoveOption = False,
    shared: SharedOption = None,
    user: UserOption = DEFAULT_USER,
    as_json: JsonOption = False,
) -> None:
    """Write a note on a stored ad, which then stays at clean-up."""
    _write_mark("note", ad, text, remove, shared, user, as_json)


@app.command()
def title(
    ad: Ad,
    text: Annotated[str | None, Argument(help="The title, on one line.")] = None,
    remove: RemoveOption = False,
    shared: SharedOption = None,
    user: UserOption = DEFAULT_USER,
    as_json: JsonOption = False,
) -> None:
    """Give a stored ad a title of one's own; it then stays at clean-up."""
    _write_mark("title", ad, text, remove, shared, user, as_json)


def _write_mark(
    mark: Literal["note", "title"],
    ad: str,
    text: str | None,
    remove: bool,
    shared: bool | None,
    user: int,
    as_json: bool,
) -> None:
    check_ad_first(ad, text)
    value = _text_or_removal(mark, text, remove)
    _check_sharing(shared, remove)
    write, on = (write_note, "on") if mark == "note" else (write_title, "of")
    in_session(
        lambda session: write(
            session, user_id=user, ad_creative_id=ad, text=value, is_shared=shared
        ),
        commits=True,
        acts_for=[user],
    )
    if as_json:
        print_json(MarkChanged(ad_creative_id=ad, mark=mark, is_removed=value is None))
    else:
        print_line(f"{'Wrote' if value else 'Removed'} the {mark} {on} {escape(plain(ad))}.")


def _text_or_removal(what: str, text: str | None, remove: bool) -> str | None:
    is_given = not is_blank(text or "")
    if is_given and remove:
        raise InvalidQueryError(what, "contradicts --remove; give one of them.")
    if not is_given and not remove:
        raise InvalidQueryError(what, "is empty; write it, or take it away with --remove.")
    return text if is_given else None


def _check_sharing(shared: bool | None, remove: bool) -> None:
    if remove and shared is not None:
        given = "--shared" if shared else "--own"
        raise InvalidQueryError(given, "contradicts --remove; give one of them.")


def _check_only_listed(shared: bool | None, remove: bool, user: int) -> None:
    """Refuse what is done to a tag where none is named."""
    given = "--remove" if remove else {True: "--shared", False: "--own", None: None}[shared]
    if given is not None:
        call = f"adspark ads tag TAG CR… {given}{for_user(user)}"
        raise InvalidQueryError("tag", f"name the tag that {given} is for: {call}")


def _shown(name: str) -> str:
    return escape(plain(" ".join(name.split())))


def _say_tagged(name: str, ads: Sequence[str], changed: Sequence[str], remove: bool) -> None:
    done = "Removed the tag from" if remove else f"Tagged {_shown(name)}:"
    print_line(f"{done} {counted(len(changed), 'ad')}.")
    if others := [ad for ad in dict.fromkeys(ads) if ad not in set(changed)]:
        otherwise = "Did not have it" if remove else "Had it already"
        print_line(f"{otherwise}: {escape(plain(', '.join(others)))}")
