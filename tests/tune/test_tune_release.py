"""The release gate: what passes, what is refused, and what the log may say."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NOW
from hookline.channels import channel
from hookline.diversity import Array
from hookline.errors import BadInput, Refused, WriterFailed
from hookline.guards import guards_named
from hookline.stats import sample_ratio
from hookline.tune import LoggedTest, Terms
from hookline.tune.export import is_held_out
from hookline.tune.release import (
    LEAST_PRODUCTS,
    MEASURES,
    SLATE,
    Figure,
    Gate,
    Measure,
    Task,
    paired,
    tasks_of,
    verdict_on,
)
from hookline.tune.shadow import shadow, skill
from hookline.types import Arm, Audience, Brand, Brief, Draft, Estimate, Outcome, Product
from hookline.writers import Writer
from tune.made_tests import make_outcome, make_test

ACME = Brand(id="acme", name="Acme")
ALL = Audience(id="all", name="Everybody")
WORDS = (
    *("Room for the small things", "Ready when you are", "Made for the way home", "A calm start"),
    *("Pack it and go", "Your day in good order", "Little things, well kept", "Set out easy"),
    *("For long walks", "One shelf less to tidy", "Plain and sturdy", "Mornings made simple"),
)
CALLS = {
    "shop": "Shop now", "discover": "Discover more", "choose": "Choose yours", "get": "Get yours",
    "see": "See it", "learn": "Learn more", "treat": "Treat yourself", "none": "The details",
}  # fmt: skip
HELD_OUT = [f"p{number}" for number in range(400) if is_held_out(f"p{number}")][:20]
TAUGHT = [f"p{number}" for number in range(40) if not is_held_out(f"p{number}")]


class Lines(Writer):
    """Writes a line of `WORDS` for each draft, changed by what it is given."""

    name: ClassVar[str] = "lines"

    def __init__(
        self,
        change: Callable[[str, int], str] = lambda text, seed: text,
        *,
        calls: bool = True,
        fails: int = 0,
    ) -> None:
        self._change = change
        self._calls = calls
        self._fails = fails

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """Lines in an order drawn from the seed."""
        if self._fails and seed % self._fails == 0:
            raise WriterFailed("out of words")
        order = np.random.default_rng(seed).permutation(len(WORDS))[:n]
        call = CALLS[brief.attributes.cta if self._calls else "shop"]
        return tuple(
            Draft(
                parts={"headline": self._change(WORDS[at], seed), "cta": call},
                writer=self.name,
                prompt="1",
                seed=seed,
            )
            for at in order.tolist()
        )


def likes(word: str) -> Callable[[Brief, Sequence[str]], Array]:
    """A predictor that expects a tenth more of texts with the word."""

    def promise(brief: Brief, texts: Sequence[str]) -> Array:
        del brief
        return np.array([0.1 * (word in text) for text in texts])

    return promise


def make_gate(**changes: object) -> Gate:
    """A gate with few guards, for speed."""
    guards = guards_named(["limits", "claims", "cta"])
    return Gate(**{"guards": guards, "promise": likes("today"), **changes})  # pyright: ignore[reportArgumentType]


def make_products(ids: Sequence[str]) -> list[Product]:
    return [Product(id=key, title=f"Harbor Canvas Tote Bag {key}") for key in ids]


def make_tasks(ids: Sequence[str] = HELD_OUT) -> tuple[Task, ...]:
    return tasks_of(
        make_products(ids),
        channels=[channel("onsite_banner")],
        audiences=[ALL],
        brand=ACME,
        most=len(ids),
        seed=1,
    )


def verdicts(new: Writer, incumbent: Writer, products: int = 8) -> dict[str, str]:
    """Measure → verdict; to show that claims are no more often made takes 18 products or so."""
    figures = make_gate().compare(new, incumbent, make_tasks(HELD_OUT[:products]), at=NOW)
    assert [figure.name for figure in figures] == [measure.name for measure in MEASURES]
    return {figure.name: figure.verdict for figure in figures}


# --- what both are asked ------------------------------------------------------------------------


def test_tasks_are_about_held_out_products_alone() -> None:
    ids = [f"p{number}" for number in range(120)]
    tasks = tasks_of(
        make_products(ids),
        channels=[channel("onsite_banner"), channel("email")],
        audiences=[ALL, Audience(id="savers", name="Savers")],
        brand=ACME,
        most=1_000,
        seed=2,
    )
    assert {task.product_id for task in tasks} == set(filter(is_held_out, ids))
    places = {(b.channel.id, b.audience.id) for task in tasks for b in task.slate}
    assert len(places) == 4
    for task in tasks:
        assert len({brief.attributes for brief in task.slate}) == SLATE
        assert len({(brief.channel.id, brief.audience.id) for brief in task.slate}) == 1
        assert all(brief.sentiment is None for brief in task.slate)
        assert all(brief.sentiment is not None for brief in task.feelings)


def test_of_variants_one_is_asked_for() -> None:
    variants = [replace(each, group_id=HELD_OUT[0]) for each in make_products(["a", "b", "c"])]
    [task] = tasks_of(
        variants, channels=[channel("email")], audiences=[ALL], brand=ACME, most=9, seed=1
    )
    assert task.product_id == HELD_OUT[0]


def test_without_a_held_out_product_nothing_can_be_compared() -> None:
    with pytest.raises(BadInput, match=r"none of .* products is held out"):
        make_tasks(TAUGHT)
    few = make_tasks(HELD_OUT[: LEAST_PRODUCTS - 1])
    with pytest.raises(Refused, match="too few"):
        make_gate().compare(Lines(), Lines(), few, at=NOW)


# --- the verdicts -------------------------------------------------------------------------------


def test_an_equal_writer_holds_everywhere_but_promises_no_more() -> None:
    found = verdicts(Lines(), Lines(), products=20)
    assert found.pop("promise") == "not shown"
    assert set(found.values()) == {"holds"}


def test_a_writer_that_promises_more_and_loses_nothing_passes() -> None:
    better, usual = (Lines(lambda text, _, w=word: f"{text} {w}") for word in ("today", "here"))
    found = verdicts(better, usual, products=20)
    assert set(found.values()) == {"holds"}


@pytest.mark.parametrize(
    ("new", "worse"),
    [
        (Lines(lambda text, _: f"{text} today, the best in the world"), {"claims", "passed"}),
        (Lines(lambda text, _: f"{text} today", calls=False), {"cta", "passed", "attributes"}),
        (Lines(lambda text, _: f"{text} today", fails=2), {"passed", "cta"}),
        (
            Lines(lambda text, _: f"One bag for today and tomorrow: {text.split()[-1]}"),
            {"off_diagonal", "vendi", "self_bleu", "compression_ratio", "self_repetition"},
        ),
        (Lines(lambda text, _: f"{text}, a lovely delight today"), {"sentiment"}),
    ],
    ids=["claims", "calls", "fails", "collapsed", "feelings"],
)
def test_what_a_writer_loses_is_named(new: Writer, worse: set[str]) -> None:
    found = verdicts(new, Lines(lambda text, _: f"{text} here"))
    assert worse <= {name for name, verdict in found.items() if verdict == "worse"}


def test_a_writer_with_one_line_has_no_diversity_to_show() -> None:
    found = verdicts(Lines(lambda _, __: "The bag for today", calls=False), Lines())
    assert found["vendi"] == "not shown"


def test_the_same_seed_gives_the_same_figures() -> None:
    tasks = make_tasks(HELD_OUT[:5])
    both = Lines(lambda text, seed: f"{text} {seed % 7}"), Lines()
    one, again, other = (make_gate(seed=seed).compare(*both, tasks, at=NOW) for seed in (1, 1, 2))
    assert one == again != other


def test_every_task_is_told() -> None:
    told: list[Task] = []
    tasks = make_tasks(HELD_OUT[:5])
    make_gate(progress=told.append).compare(Lines(), Lines(), tasks, at=NOW)
    assert told == list(tasks)


@given(
    low=st.floats(-1, 1),
    width=st.floats(0, 1),
    margin=st.floats(0, 0.5),
    sign=st.sampled_from([1, -1]),
)
def test_a_verdict_is_as_the_interval_lies(
    low: float, width: float, margin: float, sign: int
) -> None:
    measure = Measure(name="m", says="", sign=1 if sign > 0 else -1, margin=margin)
    found = verdict_on(Estimate(estimate=low, low=low, high=low + width), measure)
    worst, best = (low, low + width) if sign > 0 else (-low - width, -low)
    assert (found == "holds") == (worst > -margin)
    assert (found == "worse") == (best < -margin)


def test_without_an_interval_nothing_is_shown() -> None:
    nothing = Estimate(estimate=None, low=None, high=None, reason="too few")
    assert verdict_on(nothing, MEASURES[0]) == "not shown"
    assert paired(np.zeros(LEAST_PRODUCTS - 1), seed=1).reason


def test_what_was_not_seen_is_not_taken_for_impossible() -> None:
    few, many = (paired(np.zeros(count), seed=1, answers=32) for count in (6, 96))
    assert few.low is not None
    assert many.low is not None
    assert few.low < -0.01 < many.low < 0
    assert paired(np.zeros(6), seed=1).low == 0


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng, runs = np.random.default_rng(5), 300
    hits = 0
    for seed in range(runs):
        found = paired(rng.normal(0.3, 1.0, 8), seed=seed)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.3 <= found.high
    assert hits / runs > 0.95 - 3 * (0.95 * 0.05 / runs) ** 0.5


# --- the log ------------------------------------------------------------------------------------


def logged_about(product_id: str, *, better: str, visitors: int = 800) -> LoggedTest:
    """A test of two lines, one of which is clicked four times as often."""
    parts = {key: {"headline": f"Out and about {key}", "cta": "Shop"} for key in ("today", "here")}
    arms = tuple(
        Arm(id=key, text=" | ".join(text.values()), parts=text, control=key == "here")
        for key, text in parts.items()
    )
    test = make_test(id=f"test-{product_id}", arms=arms, product_id=product_id, audiences=())
    outcomes: list[Outcome] = []
    for number in range(visitors):
        arm = arms[number % 2]
        clicks = (number // 2) % (5 if arm.id == better else 20) == 0
        made: dict[str, Any] = {
            "number": number,
            "visitor": f"v{number}",
            "audience": "",
            "clicks": int(clicks),
        }
        outcomes.append(make_outcome(test, arm, (0.5, 0.5), **made))
    [product] = make_products([product_id])
    return LoggedTest(
        experiment=test, outcomes=outcomes, product=product, brand=ACME, exemplary={"today"}
    )


def make_logs(count: int = 6) -> list[LoggedTest]:
    return [logged_about(key, better="today") for key in HELD_OUT[:count]]


def test_the_made_logs_are_sound() -> None:
    [log] = make_logs(1)
    arms = np.array([0, 1] * (len(log.outcomes) // 2))
    assert not sample_ratio(arms, np.full((len(arms), 2), 0.5)).flagged


def test_a_predictor_that_orders_tested_lines_has_a_word() -> None:
    terms, logs = Terms(least_rows=5), make_logs()
    known = skill(logs, likes("today"), terms, seed=1)
    assert known.reason == ""
    assert known.right.estimate == 1.0
    assert known.effective == pytest.approx(len(logs))
    args = {"terms": terms, "at": NOW}
    better, worse = Lines(lambda text, _: f"{text} today"), Lines()
    assert shadow(make_gate(), better, worse, logs, **args)[0].verdict == "holds"  # pyright: ignore[reportArgumentType]
    assert shadow(make_gate(), worse, better, logs, **args)[0].verdict == "worse"  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("better", "ids", "least", "words"),
    [
        ("here", HELD_OUT[:6], 5, "better than chance"),
        ("today", HELD_OUT[:3], 1, "3 held-out products"),
        ("today", HELD_OUT[:6], 10, "6.0 effective pairs"),
        ("today", TAUGHT[:6], 5, "0.0 effective pairs"),
    ],
    ids=["wrong", "few products", "few pairs", "taught"],
)
def test_what_the_log_cannot_tell_is_not_counted(
    better: str, ids: list[str], least: float, words: str
) -> None:
    logs = [logged_about(key, better=better) for key in ids]
    terms = Terms(least_rows=least)
    figure, known = shadow(make_gate(), Lines(), Lines(), logs, terms=terms, at=NOW)
    assert figure.verdict == "not counted"
    assert not figure.fails
    assert words in known.reason


def test_a_predictor_without_an_opinion_is_right_in_half() -> None:
    known = skill(make_logs(), likes("nowhere"), Terms(least_rows=5), seed=1)
    assert known.right.estimate == 0.5
    assert "better than chance" in known.reason


def test_what_fails_stands_against_a_release() -> None:
    nothing = Estimate(estimate=None, low=None, high=None)
    figure = Figure(
        name="m", says="", incumbent=None, new=None, difference=nothing, margin=0, verdict="holds"
    )
    told = {each: replace(figure, verdict=each).fails for each in ("worse", "not shown", "holds")}
    assert told == {"worse": True, "not shown": True, "holds": False}
