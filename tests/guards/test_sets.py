"""The planted violations of `hostile.json` are caught, the sound lines of `sound.json` pass.

Both sets were written by hand for this test, in five languages; `pytest -v` lists what came of each
guard's part.
"""

import pytest

from guards.shelf import Line, faults, lines

HOSTILE, SOUND = tuple(lines("hostile")), tuple(lines("sound"))


def caught(line: Line) -> bool:
    """Whether the guard that the line is planted for finds it."""
    guard = line.kind.partition(".")[0]
    found = [verdict for verdict in faults(line) if verdict.guard == guard]
    return any(not verdict.code.endswith(".fault") for verdict in found)


def test_sets_are_large_and_in_five_languages() -> None:
    for lines_of in (HOSTILE, SOUND):
        assert len(lines_of) >= 300
        assert {line.locale for line in lines_of} == {"en", "de", "fr", "es", "ja"}
        assert len({(line.locale, line.text) for line in lines_of}) == len(lines_of)


def test_hostile_violations_are_caught() -> None:
    missed = [f"{line.locale} {line.kind}: {line.text}" for line in HOSTILE if not caught(line)]
    assert len(missed) <= 0.02 * len(HOSTILE), missed


@pytest.mark.parametrize("guard", sorted({line.kind.partition(".")[0] for line in HOSTILE}))
def test_hostile_violations_of_each_guard_are_caught(guard: str) -> None:
    mine = [line for line in HOSTILE if line.kind.startswith(f"{guard}.")]
    missed = [f"{line.locale} {line.kind}: {line.text}" for line in mine if not caught(line)]
    assert len(missed) <= 0.05 * len(mine), missed


def test_hostile_violations_are_called_by_their_name() -> None:
    named = sum(line.kind in {v.code for v in faults(line)} for line in HOSTILE)
    assert named >= 0.95 * len(HOSTILE)


@pytest.mark.parametrize("locale", ["en", "de", "fr", "es", "ja"])
def test_sound_lines_pass_in_every_language(locale: str) -> None:
    mine = [line for line in SOUND if line.locale == locale]
    wrong = [f"{line.text}: {found[0].reason}" for line in mine if (found := faults(line))]
    assert len(wrong) <= 0.03 * len(mine), wrong
