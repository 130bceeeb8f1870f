"""What tuning is measured in: real headline tests, and briefs about real products."""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.generate.draws import LOCALES, draw, shelves
from hookline import sample
from hookline.channels import CHANNELS
from hookline.house.rows import is_held_out
from hookline.past import read_past_tests
from hookline.perceive.encoders import Encoder, encoder_named
from hookline.tune import LoggedTest
from hookline.tune.reward import HeldOut, Lesson, RewardModel, lessons_in, split
from hookline.tune.strata import Findings, Line, Stratum
from hookline.types import Arm, Brief, Experiment, Product

HEADLINES: Final = Path("../shared/data/upworthy/headlines.csv.gz")
SHARE: Final = 0.5
"""Share of the tests that the watching model is fitted on."""
_STORY: Final = "A story"


@cache
def encoder() -> Encoder:
    """Reads what words mean."""
    return encoder_named("static")


@cache
def rewards(tests: int, seed: int) -> tuple[RewardModel, HeldOut]:
    """The model that writers are tuned by, and the one that judges them, of other tests."""
    return split(headline_lessons(tests, seed), encoder(), seed=seed, share=SHARE)


def headline_lessons(count: int, seed: int) -> list[Lesson]:
    """What `count` real tests teach, drawn from all that are there.

    Raises:
        FileNotFoundError: Where the data is absent.
    """
    tests = read_past_tests(HEADLINES).tests
    chosen = np.random.default_rng(seed).permutation(len(tests))[:count]
    lessons: list[Lesson] = []
    for place in sorted(chosen.tolist()):
        rows = range(int(tests.starts[place]), int(tests.starts[place + 1]))
        name = f"story-{place}"
        arms = [
            Arm(
                id=f"{row}",
                text=tests.texts[row],
                parts={"headline": tests.texts[row]},
                control=row == rows[0],
            )
            for row in rows
        ]
        lines = tuple(
            Line(arm_id=f"{row}", value=clicks / shown, effective=shown)
            for row in rows
            for clicks, shown in [(float(tests.clicks[row]), float(tests.impressions[row]))]
        )
        stratum = Stratum(
            id=name,
            test_id=name,
            audience_id="",
            visitors=int(tests.impressions[rows[0] : rows[-1] + 1].sum()),
            lines=lines,
            chances={},
            short=0,
        )
        logged = LoggedTest(
            experiment=Experiment(
                id=name, name=name, product_id=name, channel_id="onsite_banner", arms=tuple(arms)
            ),
            outcomes=(),
            product=Product(id=name, title=_STORY),
            brand=sample.brand(),
            exemplary=frozenset(),
        )
        lessons += lessons_in(logged, Findings(strata=(stratum,)))
    return lessons


def briefs(count: int, seed: int, *, held_out: bool) -> list[Brief]:
    """English briefs on all channels about products that are, or are not, held out.

    Each has attributes and a target for its feeling, drawn as in `benchmarks.generate`. What is
    held out neither the base model nor its tuning has seen.
    """
    catalogs = [
        [product for product in shelf if is_held_out(product.id) == held_out] for shelf in shelves()
    ]
    whole = len(LOCALES) * len(CHANNELS)
    turns = -(-count // len(CHANNELS))
    drawn = draw(catalogs, turns * whole, seed)
    return [brief for brief in drawn if brief.locale == "en"][:count]
