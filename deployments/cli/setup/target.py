"""Whom the first watch is for: an advertiser by name, domain or number, or a domain itself."""

from dataclasses import dataclass

from rich.markup import escape

from adspark.db.embedded import postgres_folder
from adspark.errors import InvalidQueryError
from adspark.library.advertisers.choice import choose_advertiser
from adspark.library.advertisers.named import find_advertisers
from adspark.library.advertisers.stored import AdvertiserRow
from adspark.serpapi.search_query import find_bare_domain
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.near_names import describe_unknown
from adspark.validation.stored import find_advertiser_id
from deployments.cli.ads.domain_search import search_domain
from deployments.cli.database import current_settings, in_session
from deployments.cli.setup.questions import ask, choose, confirm, tell
from deployments.terminal.questions import is_interactive, need

ADVERTISER, SEARCH = "--advertiser", "--search or --no-search"
_WHOSE = "Whose ads? A domain such as example.com, a stored advertiser's name, or an AR number."
_MOST_LISTED = 9  # advertisers to choose from
_LONGEST_NAME = 60  # characters of a suggested name of a watch


@dataclass(frozen=True)
class Target:
    """What the watch looks for, and how it may be called."""

    name: str
    advertiser_ids: tuple[str, ...] = ()
    text: str | None = None


def has_database() -> bool:
    """Whether there is a database already, in which something may be stored."""
    settings = current_settings()
    return settings.database_url is not None or (postgres_folder(settings.home) / "data").exists()


def find_target(written: str | None, *, search: bool | None, takes_defaults: bool) -> Target:
    """The advertiser or domain that a person names.

    Stored ones are found for nothing; who else advertises for a domain costs one search, if the
    person wants that.

    Args:
        written: None: the person is asked.
        search: whether to spend that search; None: the person is asked.
        takes_defaults: whether what is suggested is taken unasked.

    Raises:
        InvalidQueryError: it is none of these.
        ConfigurationError: nobody is there to answer.
    """

    def parse(given: str) -> Target:
        return _find(given, search, takes_defaults=takes_defaults)

    if written is not None:
        return parse(written)
    need(ADVERTISER, _WHOSE)
    tell(_WHOSE)
    return ask("Advertiser", option=ADVERTISER, parse=parse)


def _find(written: str, search: bool | None, *, takes_defaults: bool) -> Target:
    if number := find_advertiser_id("advertiser", written):
        return Target(name=number, advertiser_ids=(number,))
    if not written:
        raise InvalidQueryError("advertiser", "is empty.")
    domain = find_bare_domain(written)
    near: list[str] = []
    if has_database():
        stored = in_session(
            lambda session: find_advertisers(session, name=written, limit=_MOST_LISTED)
        )
        if stored.advertisers and not stored.is_similar:
            return _choose_stored(written, stored.advertisers, domain)
        near = [one.name for one in stored.advertisers]
    if domain is None:
        unknown = describe_unknown(
            f"no stored advertiser is called {written[:40]!r}, and it is no domain (letters, "
            "digits and hyphens before a public ending, such as .com)",
            written,
            near,
        )
        raise InvalidQueryError(
            "advertiser",
            unknown,
            command="give a domain such as example.com, or its AR number, as in the address of its "
            "page at https://adstransparency.google.com",
        )
    if search is None:
        tell(f"None is stored for {escape(domain)}. Who advertises for it costs one search.")
        tell("Without it, the watch looks for all ads that lead there, whoever pays for them.")
        search = not takes_defaults and confirm("Spend the search?", option=SEARCH, default=False)
    return _search(domain) if search else Target(name=domain, text=domain)


def _choose_stored(written: str, found: list[AdvertiserRow], domain: str | None) -> Target:
    """The stored advertiser that is meant; where nobody can say which, the error lists them."""
    if len(found) > 1 and not is_interactive():
        in_session(lambda session: choose_advertiser(session, name=written))
    return _choose(found, domain)


def _search(domain: str) -> Target:
    found = search_domain(domain, limit=_MOST_LISTED, yes=True)
    tell(found.cost)
    if not found.advertisers:
        tell(f"The search shows no advertiser; the watch looks for {escape(domain)} itself.")
        return Target(name=domain, text=domain)
    if not is_interactive():
        tell(f"The watch looks for all ads that lead to {escape(domain)}.")
        return Target(name=domain, text=domain)
    return _choose(found.advertisers, domain)


def _choose(found: list[AdvertiserRow], domain: str | None) -> Target:
    lines = [f"{plain(one.name)}, {counted(one.ads, 'ad')} stored" for one in found]
    everything = [] if domain is None else [f"all ads that lead to {domain}"]
    place = choose("Which one", [*lines, *everything], option=ADVERTISER)
    if place == len(found):
        return Target(name=str(domain), text=domain)
    one = found[place]
    tell(f"{escape(plain(one.name))} is {one.advertiser_id}.")
    return Target(name=plain(one.name)[:_LONGEST_NAME], advertiser_ids=(one.advertiser_id,))
