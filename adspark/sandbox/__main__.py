"""`python -m adspark.sandbox`: serve the sandbox until it is told to stop."""

import argparse
import signal
import sys
from types import FrameType

from adspark.errors import ConfigurationError
from adspark.net.listening import open_listener, web_address
from adspark.sandbox.server import create_server
from adspark.sandbox.settings import SandboxSettings


def main() -> None:
    """Parse the arguments and serve."""
    parser = _make_parser()
    args = vars(parser.parse_args())
    host, port, base_url = args.pop("host"), args.pop("port"), args.pop("base_url")
    try:
        listener = open_listener(host, port, purpose="the sandbox")
    except ConfigurationError as error:
        parser.exit(2, f"Error: {error}\n")
    address = base_url or web_address(host, listener.getsockname()[1])
    try:
        settings = SandboxSettings(base_url=address, **args)
    except ValueError as error:
        parser.error(str(error))
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn hands them on once it has stopped
        signal.signal(number, _leave)
    sys.stdout.write(
        f"AdSpark sandbox of SerpApi (no real searches) at {address} with key {settings.api_key}; "
        f"of Dify (no real variants) at {address}/v1 with key {settings.dify_key}\n"
    )
    sys.stdout.flush()
    create_server(settings).run([listener])


def _make_parser() -> argparse.ArgumentParser:
    usual = SandboxSettings()
    parser = argparse.ArgumentParser(prog="python -m adspark.sandbox", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=4300, help="0 takes a free one (default: %(default)s)")
    add("--base-url", help="the address that answers name (default: http://HOST:PORT)")
    add("--api-key", default=usual.api_key)
    add("--monthly-quota", type=int, default=usual.monthly_quota)
    add("--hourly-limit", type=int, default=usual.hourly_limit)
    add("--cached-for", type=float, default=usual.cached_for, help="seconds; 0 is never")
    add("--latency", type=float, default=usual.latency, help="seconds a search takes")
    add("--seed", type=int, default=usual.seed)
    add("--generated-advertisers", type=int, default=usual.generated_advertisers)
    add("--creatives-per-advertiser", type=int, default=usual.creatives_per_advertiser)
    add(
        "--recorded-days",
        dest="follows_today",
        action="store_false",
        help="leave the ads' days as they were; else the day of their recording is today",
    )
    add("--dify-key", default=usual.dify_key)
    add(
        "--generation-seconds",
        type=float,
        default=usual.generation_seconds,
        help="seconds that Dify takes for a variant (default: %(default)s)",
    )
    return parser


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
