"""How many planted violations the guards catch, and how many sound lines they let pass.

The lines, `tests/guards/hostile.json` and `sound.json`, were written by hand for this.
"""

import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

SHELF: Final = Path(__file__).parents[2] / "tests" / "guards" / "shelf.py"


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What came of the sets.

    Attributes:
        hostile: Planted violations.
        caught: Those that the guard finds for which they were planted.
        sound: Sound lines.
        alarms: Those that a guard finds fault with.
        missed: The violations that were not caught.
        wrong: The sound lines that were not let pass.
    """

    hostile: int
    caught: int
    sound: int
    alarms: int
    missed: list[str]
    wrong: list[str]


def planted() -> Planted:
    """What the guards make of both sets."""
    shelf = _shelf()
    hostile, sound = list(shelf.lines("hostile")), list(shelf.lines("sound"))
    missed = [f"{line.locale} {line.kind}: {line.text}" for line in hostile if not _found(line)]
    wrong = [f"{line.locale}: {line.text}" for line in sound if shelf.faults(line)]
    return Planted(
        hostile=len(hostile),
        caught=len(hostile) - len(missed),
        sound=len(sound),
        alarms=len(wrong),
        missed=missed,
        wrong=wrong,
    )


def _found(line: Any) -> bool:  # noqa: ANN401 - a class of the tests
    """Whether the guard that the line is planted for finds it."""
    guard = line.kind.partition(".")[0]
    return any(
        verdict.guard == guard and not verdict.code.endswith(".fault")
        for verdict in _shelf().faults(line)
    )


@cache
def _shelf() -> Any:  # noqa: ANN401 - a module of the tests
    """The tests' module of lines, which is no part of a package."""
    spec = spec_from_file_location("guards_shelf", SHELF)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(SHELF)
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
