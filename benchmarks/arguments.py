"""The options that benchmarks have in common."""

import argparse


def benchmark_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m benchmarks.NAME`, without options and reformatting."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def parse_scale(name: str, description: str | None) -> int:
    """By how much the full number of ads is divided: 1, or 10 and 100 where it is asked for."""
    parser = benchmark_parser(name, description)
    parser.add_argument("--quick", action="store_true", help="a tenth of the ads")
    parser.add_argument("--smallest", action="store_true", help="a hundredth of the ads")
    arguments = parser.parse_args()
    return 100 if arguments.smallest else 10 if arguments.quick else 1


def add_running_option(parser: argparse.ArgumentParser) -> None:
    """Add `--running`, of benchmarks that need no stack of their own."""
    parser.add_argument(
        "--running", action="store_true", help="use the stack that runs in ADSPARK_HOME"
    )
