"""What every benchmark shares: its arguments, its bars, and how both end up in a JSON file."""

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

PACKAGES = ("hookline", "numpy", "onnxruntime", "rapidfuzz", "regex", "scipy")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One figure and what is asked of it.

    Attributes:
        name: What was measured.
        value: What came out.
        target: What is asked, in words: `>= 5000`, `= 0`, or `for information`.
        holds: Whether it is met; true for what is only for information.
    """

    name: str
    value: float
    target: str
    holds: bool = True


def arguments(module: str, description: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes: `--json`, `--quick` and `--seed`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--json", type=Path, help="file to write the result to")
    parser.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    parser.add_argument("--seed", type=int, default=0, help="seed of every draw (0)")
    return parser


def terminal() -> Console:
    """Where a benchmark prints; wide enough for its tables where that is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=110)


def finish(
    console: Console,
    bars: Sequence[Bar],
    *,
    out: Path | None,
    seed: int,
    result: Mapping[str, object],
) -> int:
    """Prints the bars and writes them with the result, the command line and the versions.

    Args:
        console: Where to print.
        bars: The figures that were asked for.
        out: JSON file to write; None writes none.
        seed: The run's seed.
        result: Whatever else the benchmark found, JSON-able.

    Returns:
        The exit status: 0, or 1 where a bar does not hold.
    """
    table = Table("bar", "value", "target", "")
    for bar in bars:
        mark = "holds" if bar.holds else "[bold red]fails[/]"
        table.add_row(bar.name, f"{bar.value:,.4g}", bar.target, mark)
    console.print(table)
    if out:
        about = {
            "command": shlex.join([Path(sys.executable).name, *sys.orig_argv[1:]]),
            "seed": seed,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "machine": platform.machine(),
            "versions": {package: version(package) for package in PACKAGES},
        }
        whole = {"bars": [asdict(bar) for bar in bars], **result, "about": about}
        out.write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        console.print(f"written to {out}")
    return 0 if all(bar.holds for bar in bars) else 1
