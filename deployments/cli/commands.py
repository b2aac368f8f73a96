"""All commands of `adspark`, in the order in which `--help` shows them."""

from collections.abc import Iterator, Mapping

from deployments.cli.command_group import LazyCommand


def _in_panel(panel: str, commands: Mapping[str, str]) -> Iterator[LazyCommand]:
    """Commands that `--help` shows together.

    Args:
        panel: what stands above them.
        commands: the help of each, by its name and where it is in this package, written as the
            entry points of a package are: `name=module:function`, or `app` of a group.
    """
    for written, told in commands.items():
        name, _, source = written.partition("=")
        yield LazyCommand(name, f"{__package__}.{source}", told, panel)


COMMANDS = (
    *_in_panel(
        "Ads",
        {
            "fetch=runs.run:fetch": "Fetch ads here and now, without a worker.",
            "run=runs.run:run": "Run a deployment on its worker, and follow it to its end.",
            "budget=budget.commands:budget": (
                "Show searches billed, cached, left and foreseen, and what the archive of pictures "
                "takes."
            ),
        },
    ),
    *_in_panel(
        "The local stack",
        {
            "init=setup.command:init": (
                "Set AdSpark up: key, first watch, stack, gallery; what is there already is kept."
            ),
            "up=operating.stack:up": (
                "Start the local stack: Postgres, Prefect's server, a worker for each pool, the "
                "gallery."
            ),
            "down=operating.stack:down": "Stop the local stack.",
            "demo=demo.command:demo": (
                "Show it all: a stack on the sandbox, real ads fetched by deployment, what was "
                "stored."
            ),
            "sandbox=operating.stack:sandbox": (
                "Serve the sandbox alone: a local SerpApi with recorded ads."
            ),
        },
    ),
    *_in_panel(
        "Operating",
        {
            "status=operating.status:status": (
                "Show workers, runs, queues and limits; exit code 1 says that a person should act."
            ),
            "doctor=operating.doctor:doctor": (
                "Check all that AdSpark needs on this machine; exit code 1 says that something is "
                "wrong."
            ),
            "report=operating.report:report": (
                "Write a report of this installation into one file, to be passed on; no secret is "
                "in it."
            ),
            "top=operating.top:top": (
                "Watch and operate everything: pools, runs, failures; keys are at the foot of the "
                "screen."
            ),
            "monitor=operating.monitor:monitor": (
                "Show what runs, waits, ends and fails, live; off a terminal one line a change."
            ),
            "task=runs.task:task": (
                "Show all about one run: state, parameters, result, traceback, log, and what to do."
            ),
            "failures=runs.failures:failures": (
                "Show what failed and was not mended since, by cause, newest first."
            ),
            "retry=runs.failures:retry": (
                "Retry failed runs, each under its own id and with its parameters."
            ),
            "purge=runs.purge:purge": (
                "Cancel runs that wait in the queues; active runs continue, and schedules stay."
            ),
            "metrics=operating.metrics:metrics": (
                "Serve figures for Prometheus until Ctrl-C; `adspark up` serves them too."
            ),
            "mcp=mcp:mcp": (
                "Serve AI assistants (Model Context Protocol): they ask about ads, watches and "
                "variants."
            ),
        },
    ),
    *_in_panel(
        "Pools",
        {
            "pause=operating.pools:pause": (
                "Let nothing more begin in a pool; active runs continue, and schedules keep "
                "planning."
            ),
            "resume=operating.pools:resume": "Let a paused pool's runs begin again.",
            "drain=operating.pools:drain": (
                "Pause a pool and wait until nothing of it runs; exit code 1 if that takes too "
                "long."
            ),
            "scale=operating.pools:scale": (
                "Set how many runs a pool has at once; active runs continue."
            ),
            "worker=operating.worker:worker": (
                "Run what is queued in pools; SIGTERM or Ctrl-C lets runs end, a second one "
                "requeues them."
            ),
            "provision=operating.provision:provision": (
                "Bring pools, limits, blocks, deployments and automations in line with the project."
            ),
        },
    ),
    *_in_panel(
        "Ads",
        {
            "ads=ads.commands:app": (
                "Stored ads: search them, look at one, tag them, write notes on them."
            ),
            "advertisers=ads.advertisers:app": (
                "Stored advertisers: list them, find them by name or domain, compare them."
            ),
            "insight=insight.commands:app": (
                "What stored ads tell: launches, mix, regions, survival, near-duplicates."
            ),
            "watch=watches.commands:app": "Watches: saved searches that look again and again.",
            "board=boards.commands:app": (
                "Boards: named collections of stored ads, which are kept while they are on one."
            ),
            "variant=variants.commands:app": (
                "Variants: new versions of stored ads, made by a workflow and reviewed by people."
            ),
            "rules=rules.commands:app": (
                "Brand rules: files that variants are checked by before their review, in versions."
            ),
            "batch=batches.commands:app": (
                "Batches of variants: many ads, many prompts, one progress; pause, cancel, compare."
            ),
            "users=users.commands:app": (
                "Users: names for their numbers, shares and budgets, passwords for the gallery."
            ),
        },
    ),
    *_in_panel(
        "The local stack",
        {
            "db=operating.db:app": "The database's schema: create, upgrade, current, check.",
        },
    ),
)
