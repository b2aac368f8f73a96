"""`adspark init`: key, first watch, stack and gallery, in one command that can be run again."""

from typing import Annotated

from rich.markup import escape
from typer import Option

from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.home.running_stack import (
    StackState,
    check_no_stack,
    describe_starting,
    running_stack,
)
from adspark.notifications.addresses import check_notify_addresses
from adspark.settings import get_settings
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.watches.definition import WatchDefinition, WatchFields, change_definition
from adspark.watches.stored import list_watch_names
from deployments.cli.database import in_session
from deployments.cli.operating.documents import SetUpDocument
from deployments.cli.options import EndsWithJsonOption
from deployments.cli.search_options import RegionOption
from deployments.cli.setup.first_watch import WatchOptions, look, plan_watch, save
from deployments.cli.setup.questions import tell
from deployments.cli.setup.serpapi_key import find_key, keep_key, telling_of_key, use_key
from deployments.cli.setup.target import find_target, has_database
from deployments.cli.watches.options import BudgetOption, EveryOption, PagesOption
from deployments.diagnosis.machine import check_home_folder
from deployments.environment.stack_settings import SANDBOX_DATA
from deployments.stack.control import start_detached
from deployments.stack.ports import check_ports, stack_ports
from deployments.terminal.browser import open_in_browser
from deployments.terminal.output import out, print_activation, print_json, print_line, print_note

_SHOWN = 5  # watches that are there already
# Of the sandbox's recorded ads the advertiser with the most; it is looked at once a day.
_SANDBOX_WATCH: WatchFields = {
    "name": "New Balance",
    "advertiser_ids": ["AR04323445746671026177"],
    "interval_minutes": 1440,
}


def init(
    sandbox: Annotated[
        bool, Option("--sandbox", help="Recorded ads instead of SerpApi: no key, no question.")
    ] = False,
    key_file: Annotated[
        str | None,
        Option("--key-file", metavar="FILE", help="Holds SerpApi's key; - is standard input."),
    ] = None,
    advertiser: Annotated[
        str | None,
        Option(metavar="NAME", help="A domain, a stored advertiser's name, or its AR number."),
    ] = None,
    search: Annotated[
        bool | None,
        Option("--search/--no-search", help="Spend a search on who advertises for a domain."),
    ] = None,
    name: Annotated[str | None, Option(help="Of the watch.")] = None,
    region: RegionOption = None,
    interval_minutes: EveryOption = None,
    max_pages: PagesOption = None,
    monthly_budget: BudgetOption = None,
    yes: Annotated[bool, Option("--yes", "-y", help="Take what is suggested, unasked.")] = False,
    no_browser: Annotated[
        bool, Option("--no-browser", help="Only print the gallery's address.")
    ] = False,
    as_json: EndsWithJsonOption = False,
) -> None:
    """Set AdSpark up: key, first watch, stack, gallery; what is there already is kept.

    It asks for what no option says. The key is checked, which costs nothing, and written into .env
    of this folder; the watch's cost is shown before it is made.
    """
    options = WatchOptions(name, region, interval_minutes, max_pages, monthly_budget)
    wants_watch = advertiser is not None or options != WatchOptions()
    if sandbox and (wants_watch or search is not None or key_file is not None):
        raise InvalidQueryError(
            "--sandbox",
            f"takes no key and makes a watch of its own ({_SANDBOX_WATCH['name']}); leave the "
            "other options out, and add a watch afterwards: adspark watch create",
        )
    running = _find_running(sandbox=sandbox)
    check_home_folder(get_settings().home)
    if sandbox:
        definition = _sandbox_watch()
    else:
        found = find_key(get_settings(), key_file)
        use_key(found)
        definition = None
        if wants_watch or not _keeps_watches():
            with telling_of_key(found):
                target = find_target(advertiser, search=search, takes_defaults=yes)
                definition = plan_watch(target, options, left=found.left, takes_defaults=yes)
        keep_key(found)
    state = running or _start(sandbox=sandbox)
    made = _look_first(state, definition)
    _end(state, made, opens=not no_browser, as_json=as_json)


def _find_running(*, sandbox: bool) -> StackState | None:
    """The stack that runs already; without one, its ports are free.

    Raises:
        ConfigurationError: another stack runs, a port is taken, or a setting is wrong.
    """
    settings = get_settings()
    state = running_stack(settings.home)
    if state is None:
        check_no_stack(settings.home)  # one may be on its way
        check_notify_addresses(settings)
        check_ports(stack_ports(settings, with_sandbox=sandbox))
        return None
    if sandbox != (state.sandbox_url is not None):
        other = "on SerpApi" if sandbox else "on the sandbox"
        raise ConfigurationError(f"A stack {other} runs already; stop it first: adspark down")
    if not state.ready:
        raise ConfigurationError(describe_starting(settings.home))
    return state


def _keeps_watches() -> bool:
    """Whether there are watches already, which is said."""
    if not has_database():
        return False
    names = list(in_session(list_watch_names).values())
    if names:
        more = ", …" if len(names) > _SHOWN else ""
        listed = ", ".join(repr(plain(name)) for name in names[:_SHOWN])
        tell(f"There {'is a watch' if len(names) == 1 else 'are watches'} already, which "
             f"{'is' if len(names) == 1 else 'are'} kept: {escape(listed)}{more}.")  # fmt: skip
        tell("Another one: adspark watch create, or adspark init --advertiser NAME")
    return bool(names)


def _sandbox_watch() -> WatchDefinition:
    definition, _ = change_definition(None, _SANDBOX_WATCH)
    return definition


def _start(*, sandbox: bool) -> StackState:
    tell("Starting PostgreSQL, Prefect's server, the workers and the gallery …")
    folder = SANDBOX_DATA if sandbox else None
    return start_detached(get_settings(), sandbox=folder, on_wait=print_note)


def _look_first(state: StackState, definition: WatchDefinition | None) -> SetUpDocument:
    """Make the watch and let it look."""
    watch_id, pictures = None, 0
    if definition is not None:
        try:
            watch_id = save(definition)
            pictures = look(state, watch_id)
        except BaseException:
            tell(f"The stack runs on: {state.gallery_url}; stop it with: adspark down")
            raise
    return SetUpDocument(
        sandbox=state.sandbox_url is not None,
        gallery_url=state.gallery_url,
        ui_url=state.ui_url,
        watch_id=watch_id,
        pictures=pictures,
    )


def _end(state: StackState, made: SetUpDocument, *, opens: bool, as_json: bool) -> None:
    """The addresses, and the gallery in the browser."""
    page = f"{state.gallery_url}/library"
    is_opened = opens and not as_json and open_in_browser(page)
    if as_json:
        print_json(made)
        return
    shown = f", with {counted(made.pictures, 'picture')}" if made.pictures else ""
    out.print(f"[bold green]Ready[/]{shown}. Gallery of ads: [link={page}]{page}[/link]")
    if is_opened:
        out.print("It opens in your browser.")
    out.print(f"Runs, in Prefect's UI: [link={state.ui_url}]{state.ui_url}[/link]")
    print_activation()
    if made.sandbox:
        print_line("These are recorded ads. With your own key: adspark down, then adspark init")
    out.print("Stop it with: adspark down")
