"""All commands of `adspark`, in the order in which `--help` shows them."""

from deployments.cli.command_group import LazyCommand

_ADS, _STACK, _OPERATING, _POOLS = "Ads", "The local stack", "Operating", "Pools"
COMMANDS = (
    LazyCommand(
        "fetch", "deployments.cli.runs.run:fetch", "Fetch ads here and now, without a worker.", _ADS
    ),
    LazyCommand(
        "run",
        "deployments.cli.runs.run:run",
        "Run a deployment on its worker, and follow it to its end.",
        _ADS,
    ),
    LazyCommand(
        "budget",
        "deployments.cli.budget.commands:budget",
        "Show searches billed, cached, left and foreseen, and what the archive of pictures takes.",
        _ADS,
    ),
    LazyCommand(
        "init",
        "deployments.cli.setup.command:init",
        "Set AdSpark up: key, first watch, stack, gallery; what is there already is kept.",
        _STACK,
    ),
    LazyCommand(
        "up",
        "deployments.cli.operating.stack:up",
        "Start the local stack: Postgres, Prefect's server, a worker for each pool, the gallery.",
        _STACK,
    ),
    LazyCommand("down", "deployments.cli.operating.stack:down", "Stop the local stack.", _STACK),
    LazyCommand(
        "demo",
        "deployments.cli.demo.command:demo",
        "Show it all: a stack on the sandbox, real ads fetched by deployment, what was stored.",
        _STACK,
    ),
    LazyCommand(
        "sandbox",
        "deployments.cli.operating.stack:sandbox",
        "Serve the sandbox alone: a local SerpApi with recorded ads.",
        _STACK,
    ),
    LazyCommand(
        "status",
        "deployments.cli.operating.status:status",
        "Show workers, runs, queues and limits; exit code 1 says that a person should act.",
        _OPERATING,
    ),
    LazyCommand(
        "doctor",
        "deployments.cli.operating.doctor:doctor",
        "Check all that AdSpark needs on this machine; exit code 1 says that something is wrong.",
        _OPERATING,
    ),
    LazyCommand(
        "report",
        "deployments.cli.operating.report:report",
        "Write a report of this installation into one file, to be passed on; no secret is in it.",
        _OPERATING,
    ),
    LazyCommand(
        "top",
        "deployments.cli.operating.top:top",
        "Watch and operate everything: pools, runs, failures; keys are at the foot of the screen.",
        _OPERATING,
    ),
    LazyCommand(
        "monitor",
        "deployments.cli.operating.monitor:monitor",
        "Show what runs, waits, ends and fails, live; off a terminal one line a change.",
        _OPERATING,
    ),
    LazyCommand(
        "task",
        "deployments.cli.runs.task:task",
        "Show all about one run: state, parameters, result, traceback, log, and what to do.",
        _OPERATING,
    ),
    LazyCommand(
        "failures",
        "deployments.cli.runs.failures:failures",
        "Show what failed and was not mended since, by cause, newest first.",
        _OPERATING,
    ),
    LazyCommand(
        "retry",
        "deployments.cli.runs.failures:retry",
        "Retry failed runs, each under its own id and with its parameters.",
        _OPERATING,
    ),
    LazyCommand(
        "purge",
        "deployments.cli.runs.purge:purge",
        "Cancel runs that wait in the queues; active runs continue, and schedules stay.",
        _OPERATING,
    ),
    LazyCommand(
        "metrics",
        "deployments.cli.operating.metrics:metrics",
        "Serve figures for Prometheus until Ctrl-C; `adspark up` serves them too.",
        _OPERATING,
    ),
    LazyCommand(
        "mcp",
        "deployments.cli.mcp:mcp",
        "Serve AI assistants (Model Context Protocol): they ask about ads, watches and variants.",
        _OPERATING,
    ),
    LazyCommand(
        "pause",
        "deployments.cli.operating.pools:pause",
        "Let nothing more begin in a pool; active runs continue, and schedules keep planning.",
        _POOLS,
    ),
    LazyCommand(
        "resume",
        "deployments.cli.operating.pools:resume",
        "Let a paused pool's runs begin again.",
        _POOLS,
    ),
    LazyCommand(
        "drain",
        "deployments.cli.operating.pools:drain",
        "Pause a pool and wait until nothing of it runs; exit code 1 if that takes too long.",
        _POOLS,
    ),
    LazyCommand(
        "scale",
        "deployments.cli.operating.pools:scale",
        "Set how many runs a pool has at once; active runs continue.",
        _POOLS,
    ),
    LazyCommand(
        "worker",
        "deployments.cli.operating.worker:worker",
        "Run what is queued in pools; SIGTERM or Ctrl-C lets runs end, a second one requeues them.",
        _POOLS,
    ),
    LazyCommand(
        "provision",
        "deployments.cli.operating.provision:provision",
        "Bring pools, limits, blocks, deployments and automations in line with the project.",
        _POOLS,
    ),
    LazyCommand(
        "ads",
        "deployments.cli.ads.commands:app",
        "Stored ads: search them, look at one, tag them, write notes on them.",
        _ADS,
    ),
    LazyCommand(
        "advertisers",
        "deployments.cli.ads.advertisers:app",
        "Stored advertisers: list them, find them by name or domain, compare them.",
        _ADS,
    ),
    LazyCommand(
        "insight",
        "deployments.cli.insight.commands:app",
        "What stored ads tell: launches, mix, regions, survival, near-duplicates.",
        _ADS,
    ),
    LazyCommand(
        "watch",
        "deployments.cli.watches.commands:app",
        "Watches: saved searches that look again and again.",
        _ADS,
    ),
    LazyCommand(
        "board",
        "deployments.cli.boards.commands:app",
        "Boards: named collections of stored ads, which are kept while they are on one.",
        _ADS,
    ),
    LazyCommand(
        "variant",
        "deployments.cli.variants.commands:app",
        "Variants: new versions of stored ads, made by a workflow and reviewed by people.",
        _ADS,
    ),
    LazyCommand(
        "rules",
        "deployments.cli.rules.commands:app",
        "Brand rules: files that variants are checked by before their review, in versions.",
        _ADS,
    ),
    LazyCommand(
        "batch",
        "deployments.cli.batches.commands:app",
        "Batches of variants: many ads, many prompts, one progress; pause, cancel, compare.",
        _ADS,
    ),
    LazyCommand(
        "users",
        "deployments.cli.users.commands:app",
        "Users: names for their numbers, shares and budgets, passwords for the gallery.",
        _ADS,
    ),
    LazyCommand(
        "db",
        "deployments.cli.operating.db:app",
        "The database's schema: create, upgrade, current, check.",
        _STACK,
    ),
)
