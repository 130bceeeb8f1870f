"""What a new experiment takes over from older ones, and that its log needs nothing else."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from conftest import NOW, make_context, make_experiment
from hookline import headstart
from hookline.app import open_app
from hookline.errors import BadInput, HooklineError
from hookline.events import Ledger
from hookline.headstart import promised, with_embeddings, with_head_start
from hookline.live import Live
from hookline.perceive.encoders import Encoder, StaticEncoder
from hookline.perceive.encoders.base import Floats, unit
from hookline.prior import Belief, TextPrior
from hookline.prior.model import Card, fingerprints
from hookline.prior.ngrams import NgramPrior
from hookline.settings import read_settings
from hookline.store import Store, open_store
from hookline.types import (
    Audience,
    Copy,
    Decision,
    Event,
    EventKind,
    Experiment,
    Forecast,
    Product,
    dumps,
)
from made_past import Array, make_past

LATER = NOW + timedelta(hours=100)


class Told(TextPrior):
    """Knows the score of a few lines by heart, and remembers with what belief it was asked."""

    def __init__(self, scores: Mapping[str, float]) -> None:
        self.scores = scores
        self.beliefs: list[Belief] = []

    @property
    def belief(self) -> Belief:
        return Belief(slopes=(1.0,), variance=0.05)

    def score(
        self, texts: Sequence[str], *, progress: Callable[[int], None] = lambda done: None
    ) -> Array:
        return np.array([self.scores[text] for text in texts])

    def forecast(self, texts: Sequence[str], belief: Belief | None = None) -> list[Forecast]:
        held = belief or self.belief
        self.beliefs.append(held)
        means = held.slopes[0] * self.score(texts)
        return [Forecast(mean=mean, sd=held.variance**0.5) for mean in means.tolist()]


SCORES = {"control": 0.0, "a": 0.3, "b": -0.3}


def test_promised_is_the_forecast_one_standard_deviation_down() -> None:
    assert promised(Told(SCORES), ["b", "a"]) == pytest.approx(np.array([-0.3, 0.3]) - 0.05**0.5)


def new_experiment(**changes: object) -> Experiment:
    return make_experiment(**{"id": "new", "policy": "horizon_thompson", **changes})


Counts = Mapping[str, tuple[int, int]]
"""Arm id → visitors who saw it, and how many of them clicked."""


def record(
    ledger: Ledger, experiment: Experiment, counts: Counts, *, kind: EventKind = "click"
) -> None:
    """Writes visitors and their clicks (or orders) into the ledger; nothing is settled yet."""
    ledger.open(experiment)
    for arm, (visitors, paying) in counts.items():
        for number in range(visitors):
            key = f"{experiment.id}-{arm}-{number}"
            ledger.record(
                Decision(
                    id=key,
                    experiment_id=experiment.id,
                    arm_id=arm,
                    propensity=1 / 3,
                    probabilities={each.id: 1 / 3 for each in experiment.arms},
                    slice="policy",
                    reason="policy",
                    context=make_context(key),
                )
            )
            for what in ["impression", *[kind] * (number < paying)]:
                ledger.apply(
                    Event(
                        message_id=f"{what}-{key}",
                        kind=what,  # pyright: ignore[reportArgumentType]
                        visitor_id=key,
                        at=NOW,
                        decision_id=key,
                        order_id=key,
                        revenue=30.0,
                    )
                )


def settled(*tests: tuple[Experiment, Counts]) -> Ledger:
    ledger = Ledger()
    for experiment, counts in tests:
        record(ledger, experiment, counts)
    ledger.settle(LATER)
    return ledger


# --- parameters --------------------------------------------------------------------------------


def test_a_policy_is_told_the_horizon_of_its_test() -> None:
    """With the hold-out: the policy sees and counts these visitors too."""
    made = with_head_start(new_experiment(horizon=4321, holdout=0.2), [], Ledger(), None)
    assert made.policy_params == {"horizon": 4321.0}


def test_the_level_is_the_mean_of_earlier_tests_however_big_they_are() -> None:
    first, second = make_experiment(id="e1"), make_experiment(id="e2")
    ledger = settled((first, {"control": (20, 2), "a": (20, 4)}), (second, {"control": (200, 100)}))
    made = with_head_start(new_experiment(), [first, second], ledger, None)
    assert made.policy_params["level"] == pytest.approx((0.15 + 0.5) / 2)


def test_the_level_comes_from_the_same_channel_and_objective_only() -> None:
    alike = make_experiment(id="e1")
    others = [
        make_experiment(id="e2", channel_id="email"),
        make_experiment(id="e3", objective="orders"),
    ]
    ledger = settled((alike, {"a": (10, 1)}), *((each, {"a": (10, 9)}) for each in others))
    found, none = (
        with_head_start(new_experiment(), earlier, ledger, None).policy_params
        for earlier in ([alike, *others], others)
    )
    assert found["level"] == pytest.approx(0.1)
    assert "level" not in none


def test_the_level_of_orders_is_the_share_of_visitors_who_ordered() -> None:
    ledger, earlier = Ledger(), make_experiment(id="e1", objective="orders")
    record(ledger, earlier, {"a": (20, 3)}, kind="order")
    ledger.settle(LATER)
    made = with_head_start(new_experiment(objective="orders"), [earlier], ledger, None)
    assert made.policy_params["level"] == pytest.approx(0.15)


def test_money_has_no_level_beforehand() -> None:
    """Until the first order nobody knows what one brings, and how many a sum of money makes."""
    ledger, earlier = Ledger(), make_experiment(id="e1", objective="revenue")
    record(ledger, earlier, {"a": (20, 3)}, kind="order")
    ledger.settle(LATER)
    made = with_head_start(new_experiment(objective="revenue"), [earlier], ledger, None)
    assert set(made.policy_params) == {"horizon"}


def test_only_settled_visitors_count_for_the_level() -> None:
    ledger, earlier = Ledger(), make_experiment(id="e1", click_hours=5.0)
    record(ledger, earlier, {"a": (20, 3)})
    ledger.settle(NOW + timedelta(hours=4))
    assert "level" not in with_head_start(new_experiment(), [earlier], ledger, None).policy_params
    ledger.settle(NOW + timedelta(hours=6))
    made = with_head_start(new_experiment(), [earlier], ledger, None)
    assert made.policy_params["level"] == pytest.approx(0.15)


def test_what_was_given_wins() -> None:
    earlier = make_experiment(id="e1")
    ledger = settled((earlier, {"a": (10, 1)}))
    given_ = {"level": 0.5, "boldness": 2.0}
    made = with_head_start(new_experiment(policy_params=given_), [earlier], ledger, None)
    assert made.policy_params == {"level": 0.5, "boldness": 2.0, "horizon": 10_000.0}


@pytest.mark.parametrize(
    ("policy", "told"), [("uniform", set[str]()), ("thompson", set[str]()), ("lola", {"level"})]
)
def test_a_policy_is_told_only_what_it_takes(policy: str, told: set[str]) -> None:
    earlier = make_experiment(id="e1")
    ledger = settled((earlier, {"a": (10, 1)}))
    made = with_head_start(new_experiment(policy=policy), [earlier], ledger, Told(SCORES))
    assert set(made.policy_params) == told


def test_only_the_latest_tests_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headstart, "MOST_TESTS", 1)
    first, second = make_experiment(id="e1"), make_experiment(id="e2")
    ledger = settled((first, {"a": (10, 9)}), (second, {"a": (10, 1)}))
    made = with_head_start(new_experiment(), [first, second], ledger, None)
    assert made.policy_params["level"] == pytest.approx(0.1)


# --- forecasts ---------------------------------------------------------------------------------


def test_every_arm_gets_its_forecast() -> None:
    before = new_experiment()
    made = with_head_start(before, [], Ledger(), Told(SCORES))
    assert {arm.id: arm.forecast.mean for arm in made.arms if arm.forecast} == SCORES
    assert [replace(arm, forecast=None) for arm in made.arms] == list(before.arms)


@pytest.mark.parametrize("objective", ["orders", "revenue"])
def test_a_click_foretells_no_order(objective: str) -> None:
    made = with_head_start(new_experiment(objective=objective), [], Ledger(), Told(SCORES))
    assert all(arm.forecast is None for arm in made.arms)


def test_no_prior_no_forecasts() -> None:
    earlier = make_experiment(id="e1")
    ledger = settled((earlier, {"a": (10, 1)}))
    before = new_experiment()
    assert with_head_start(before, [earlier], ledger, None).arms == before.arms


def test_a_prior_is_trusted_as_far_as_it_was_right() -> None:
    """Eight earlier tests, of any channel, in which the score was right, or upside down."""
    slopes: dict[str, float] = {}
    sds: dict[str, float] = {}
    before = [make_experiment(id=f"e{n}", channel_id="email") for n in range(8)]
    good, bad = (200, 80), (200, 44)  # 40 % and 22 %, as far apart as the score says
    for name, (a, b) in {"right": (good, bad), "wrong": (bad, good)}.items():
        prior, counts = Told(SCORES), {"control": (200, 60), "a": a, "b": b}
        made = with_head_start(
            new_experiment(), before, settled(*((each, counts) for each in before)), prior
        )
        (belief,) = prior.beliefs
        slopes[name], sds[name] = belief.slopes[0], belief.variance**0.5
        assert made.arms[1].forecast == Forecast(mean=0.3 * slopes[name], sd=sds[name])
    assert slopes["right"] == pytest.approx(1.0, abs=0.1)
    assert slopes["wrong"] == 0.0
    assert sds["wrong"] > sds["right"]


@pytest.mark.parametrize(
    "counts",
    [{}, {"a": (50, 9)}, {"a": (50, 0), "b": (50, 0)}],
    ids=["nobody came", "one arm was shown", "nobody clicked"],
)
def test_tests_that_teach_nothing_leave_the_prior_as_it_is(counts: Counts) -> None:
    prior, earlier = Told(SCORES), make_experiment(id="e1")
    with_head_start(new_experiment(), [earlier], settled((earlier, counts)), prior)
    assert prior.beliefs == [prior.belief]


def test_earlier_tests_are_taken_with_the_arms_that_were_shown() -> None:
    """An arm nobody saw has no outcome; the others of its test still teach."""
    prior, earlier = Told(SCORES), make_experiment(id="e1")
    ledger = settled((earlier, {"control": (300, 60), "a": (300, 90)}))
    with_head_start(new_experiment(), [earlier], ledger, prior)
    assert prior.beliefs != [prior.belief]


# --- embeddings --------------------------------------------------------------------------------


class Letters(Encoder):
    """Counts the letters of the alphabet, as often as it takes to fill its width."""

    name = "letters"

    def __init__(self, version: str = "1", width: int = 3) -> None:
        self.version, self.width = version, width

    def encode(self, texts: Sequence[str]) -> Floats:
        rows = [[text.count(chr(97 + k % 26)) for k in range(self.width)] for text in texts]
        return unit(np.array(rows, dtype=np.float64).reshape(-1, self.width))


def test_every_arm_gets_its_embedding_and_the_test_its_encoder() -> None:
    before = new_experiment()
    made = with_embeddings(before, Letters())
    assert made.encoder == "letters 1"
    assert {arm.id: arm.embedding for arm in made.arms} == {
        "control": (0.0, 0.0, 1.0), "a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0),
    }  # fmt: skip
    bare = tuple(replace(arm, embedding=()) for arm in made.arms)
    assert replace(made, arms=bare, encoder="") == before


def test_embeddings_of_the_encoder_that_ships_are_the_same_every_time() -> None:
    first, second = (with_embeddings(new_experiment(), StaticEncoder.open()) for _ in range(2))
    assert first == second
    assert all(len(arm.embedding) == 64 for arm in first.arms)


def test_a_test_never_holds_vectors_of_two_encoders() -> None:
    """An arm that comes later is encoded with all others, by whichever encoder there is then."""
    made = with_embeddings(new_experiment(), Letters())
    late = replace(made.arms[1], id="late", text="abc", embedding=())
    grown = replace(made, arms=(*made.arms, late))
    again = with_embeddings(grown, Letters("2", width=26))
    assert again.encoder == "letters 2"
    assert {len(arm.embedding) for arm in again.arms} == {26}
    assert again == with_embeddings(replace(grown, encoder=""), Letters("2", width=26))


# --- in the live loop --------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path}/live.db")
    fill(made)
    yield made
    made.close()


def fill(store: Store) -> None:
    store.write(
        documents={
            "product": {"p1": dumps(Product(id="p1", title="Boots"))},
            "audience": {"all": dumps(Audience(id="all", name="All"))},
            "copy": {name: dumps(approved(name)) for name in SCORES},
        }
    )


def approved(name: str) -> Copy:
    return Copy(
        id=name, product_id="p1", channel_id="onsite_banner", parts={"headline": name},
        status="approved", created_at=NOW,
    )  # fmt: skip


def start(live: Live, name: str, **changes: object) -> Experiment:
    draft = new_experiment(id=name, arms=(), status="draft", started_at=None, **changes)
    live.create_experiment(
        draft, copy_ids=["a", "b"], control_id="control", audience_ids=["all"], at=NOW
    )
    live.move(name, "review", at=NOW)
    return live.move(name, "running", at=NOW)


def visit(live: Live, name: str, visitors: int) -> dict[str, int]:
    """Shows a copy to visitors a minute apart, every fifth of whom clicks; arm id → visitors."""
    served = dict.fromkeys(SCORES, 0)
    for number in range(visitors):
        at = NOW + timedelta(minutes=number)
        found = live.decide(name, make_context(f"{name}-{number}", at=at))
        served[found.arm.id] += 1
        events = ["Promotion Viewed", *["Promotion Clicked"] * (number % 5 == 0)]
        live.ingest(
            [
                {
                    "messageId": f"{event} {found.decision_id}",
                    "event": event,
                    "userId": f"{name}-{number}",
                    "timestamp": at.isoformat(),
                    "properties": {"decision_id": found.decision_id},
                }
                for event in events
            ],
            at=at,
        )
    return served


def test_live_loads_the_prior_when_the_first_experiment_needs_it(store: Store) -> None:
    asked: list[str] = []

    def load() -> TextPrior:
        asked.append("once")
        return Told(SCORES)

    live = Live(store, prior=load)
    assert asked == []
    start(live, "one")
    assert asked == ["once"]


def test_live_starts_from_the_forecasts_and_learns_over_tests(store: Store) -> None:
    live = Live(store, prior=lambda: Told(SCORES))
    first = start(live, "one", horizon=800)
    assert [arm.forecast for arm in first.arms] == [
        Forecast(mean=mean, sd=0.05**0.5) for mean in SCORES.values()
    ]
    assert first.policy_params == {"horizon": 800.0}
    served = visit(live, "one", 200)
    assert served["a"] > served["b"] * 2
    live.learn()
    second = start(live, "two")
    assert second.policy_params["level"] == pytest.approx(0.2, abs=0.02)
    assert second.arms[1].forecast != first.arms[1].forecast


def test_the_log_needs_neither_the_prior_nor_the_older_tests(store: Store) -> None:
    live = Live(store, prior=lambda: Told(SCORES))
    start(live, "one")
    visit(live, "one", 90)
    live.learn()
    start(live, "two")
    visit(live, "two", 150)
    live.learn()
    replayed = live.replay()
    assert replayed.same
    assert set(replayed.live.states) == {"one", "two"}
    reborn = Live(store)
    assert reborn.experiments() == live.experiments()
    for number in range(40):
        context = make_context(f"late-{number}", at=LATER)
        one, other = live.decide("two", context), reborn.decide("two", context)
        assert (one.arm, one.propensity) == (other.arm, other.propensity)


def test_the_log_needs_no_encoder(store: Store) -> None:
    asked: list[str] = []

    def load() -> Encoder:
        asked.append("once")
        return Letters()

    live = Live(store, encoder=load)
    assert asked == []
    started = start(live, "one", policy="actor_critic")
    assert asked == ["once"]
    assert [arm.embedding for arm in started.arms][1:] == [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    visit(live, "one", 120)
    live.learn()
    replayed = live.replay()
    assert replayed.same
    reborn = Live(store)
    assert reborn.experiments() == live.experiments()
    for number in range(40):
        context = make_context(f"late-{number}", at=LATER)
        one, other = live.decide("one", context), reborn.decide("one", context)
        assert (one.arm, one.propensity) == (other.arm, other.propensity)


def test_another_encoder_leaves_running_tests_as_they_are(store: Store) -> None:
    first = start(Live(store, encoder=Letters), "one")
    live = Live(store, encoder=lambda: Letters("2"))
    second = start(live, "two")
    assert (first.encoder, second.encoder) == ("letters 1", "letters 2")
    assert live.experiment("one") == first
    assert live.move("one", "paused", at=NOW).encoder == "letters 1"


def test_an_encoder_that_fails_leaves_no_half_made_test(store: Store) -> None:
    def load() -> Encoder:
        raise BadInput("can't load the model")

    live = Live(store, encoder=load)
    with pytest.raises(BadInput, match="can't load the model"):
        start(live, "one")
    assert live.experiments() == []
    start(Live(store), "one")


def test_live_without_an_encoder_embeds_nothing(store: Store) -> None:
    made = start(Live(store), "one")
    assert made.encoder == ""
    assert all(arm.embedding == () for arm in made.arms)


def test_live_without_a_prior_forecasts_nothing(store: Store) -> None:
    made = start(Live(store), "one", policy_params={"horizon": 77.0})
    assert all(arm.forecast is None for arm in made.arms)
    assert made.policy_params == {"horizon": 77.0}


# --- in the app --------------------------------------------------------------------------------


def save_prior(folder: Path) -> None:
    """A prior that learned from 200 tests that “a” is clicked twice as often as “b”."""
    tests = make_past([[60, 30]] * 200, [[1000, 1000]] * 200)
    tests = replace(tests, texts=("a", "b") * 200)
    card = Card(
        name="letters", learned_from="this test", tests=200, lines=400, encoder=False,
        encoder_weight=0.0, ngram_weight=1.0, variance=0.04, doubt=0.0,
    )  # fmt: skip
    TextPrior(card, NgramPrior.fit(tests), None, fingerprints(tests.texts)).save(folder)


def test_the_app_takes_its_prior_from_the_folder_in_its_settings(tmp_path: Path) -> None:
    save_prior(tmp_path / "prior")
    app = open_app(
        read_settings(database=f"sqlite:///{tmp_path}/app.db", prior=str(tmp_path / "prior"))
    )
    fill(app.store)
    forecasts = {arm.id: arm.forecast for arm in start(app.live, "one").arms}
    app.close()
    better, worse = forecasts["a"], forecasts["b"]
    assert better
    assert worse
    assert better.mean > worse.mean + 0.2
    assert better.sd == pytest.approx(0.2)


def test_the_app_does_without_a_prior_if_told_so(tmp_path: Path) -> None:
    app = open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", prior="none"))
    fill(app.store)
    assert all(arm.forecast is None for arm in start(app.live, "one").arms)
    app.close()


def test_the_app_says_so_where_the_folder_holds_no_prior(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no text prior"):
        open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", prior=str(tmp_path)))


def test_the_app_embeds_new_lines_with_the_encoder_that_ships(tmp_path: Path) -> None:
    app = open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", prior="none"))
    fill(app.store)
    made = start(app.live, "one")
    app.close()
    assert made.encoder == StaticEncoder.open().identity
    assert made.arms == with_embeddings(made, StaticEncoder.open()).arms


@pytest.mark.parametrize("name", ["", "none"])
def test_the_app_does_without_an_encoder_if_told_so(tmp_path: Path, name: str) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    app = open_app(read_settings(database=url, prior="none", encoder=name))
    fill(app.store)
    made = start(app.live, "one")
    app.close()
    assert (made.encoder, made.arms[1].embedding) == ("", ())


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("statik", "did you mean 'static'"),
        ("static:x", "takes nothing behind a colon"),
        ("sentence", "name a model or a folder"),
        ("clip:", "name a model or a folder"),
    ],
)
def test_the_app_says_at_once_what_is_wrong_with_an_encoder(
    tmp_path: Path, name: str, complaint: str
) -> None:
    with pytest.raises(HooklineError, match=complaint):
        open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", encoder=name))
    assert not (tmp_path / "app.db").exists()


def test_the_app_says_at_once_which_package_an_encoder_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(BadInput, match=r"pip install 'hookline\[sentence\]'"):
        open_app(read_settings(database=f"sqlite:///{tmp_path}/app.db", encoder="sentence:m"))


def test_opening_the_app_loads_no_encoder(tmp_path: Path) -> None:
    code = (
        "import sys; from hookline.app import open_app; "
        "from hookline.perceive.encoders import static; "
        "from hookline.settings import read_settings; "
        "static.StaticVectors.load = None; "  # so that loading would fail
        "open_app(read_settings(database='sqlite://')).close(); "
        "print([name for name in ('torch', 'PIL', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
