"""Tuning a tiny house model by every method: it learns, stops, goes on and is exported."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, product
from math import isnan
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from hookline.brief import make_brief
from hookline.channels import channel
from hookline.errors import BadInput, Refused
from hookline.house.batches import line_of, vocabulary
from hookline.house.export import export, set_temperature
from hookline.house.pieces import Pieces
from hookline.house.rows import Row
from hookline.house.train import Recipe, Sizes, train
from hookline.perceive.encoders import encoder_named
from hookline.prior.export import require
from hookline.tune.house import (
    HouseTuner,
    Judged,
    Preferred,
    Progress,
    Ranking,
    Rewarding,
    Round,
    Sample,
    Teaching,
    Won,
    draw,
    likelihood,
    ranked,
    row_of,
    tune_by_rank,
    tune_by_reward,
    tune_preferences,
    tune_supervised,
)
from hookline.tune.house.pursued import Pursued, pursue, varied_at
from hookline.tune.house.ranked import model_after
from hookline.tune.house.tuner import arrays
from hookline.tune.objectives import Candidate
from hookline.tune.reward import HeldOut, Lesson, RewardModel
from hookline.types import Attributes, Audience, Brand, Brief, Product
from hookline.writers.house import House
from hookline.writers.house.network import Network

RECIPE = Recipe(width=32, layers=2, heads=2, places=40, passes=30, batch=512, rate=1e-2)
HEADLINES = ("Made for you", "See the {}", "The {}, today", "The {} for you")
CTAS = ("Shop now", "Get it")
TEACHING = Teaching(passes=2, batch=128, rate=3e-3, warm_up=2)
REWARDING = Rewarding(steps=8, briefs=2, per_brief=12, rate=5e-3, warm_up=2, reach=0.02, batch=256)
Run = Callable[[Path, Callable[[Progress], bool]], tuple[HouseTuner, Progress]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """One thread, which so small a model can't fill."""
    torch = found_torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def found_torch() -> Any:
    pytest.importorskip("torch", reason="torch is not installed: nothing to tune with")
    return require("torch")


def briefs(count: int) -> list[Brief]:
    return [
        make_brief(
            product=Product(id=f"p{at}", title=f"Harbor {name} Tote Bag"),
            audience=Audience(id="all", name="All"),
            channel=channel("onsite_banner"),
            brand=Brand(id="shop", name="The Shop"),
            attributes=Attributes(),
        )
        for at, name in zip(range(count), ("Canvas", "Linen", "Denim", "Jute"), strict=False)
    ]


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A tiny model that has learned to say eight lines, half of them with "you"."""
    found_torch().set_num_threads(1)
    folder = tmp_path_factory.mktemp("house")
    rows = [
        made
        for brief in briefs(4)
        for headline, cta in product(HEADLINES, CTAS)
        if (made := row_of({"headline": headline.format(brief.product.title), "cta": cta}, brief))
    ]
    texts = [spot.text for each in rows for spot in each.fields]
    pieces = Pieces.found(texts, 80)
    conditions = vocabulary(rows)
    ids = {name: at for at, name in enumerate(conditions)}
    lines = [line for each in rows if (line := line_of(each, pieces, ids, RECIPE.places))]
    assert len(lines) == 32
    weights, _ = train(lines, Sizes(len(pieces.texts), len(conditions)), folder, recipe=RECIPE)
    export(weights, folder, recipe=RECIPE, pieces=pieces.texts, conditions=conditions)
    return Network.load(folder)


@pytest.fixture(scope="module")
def copies(net: Network) -> list[Sample]:
    drawn = draw(net, briefs(4), 20, seed=5)
    return [each for each in drawn if each.fit and each.row is not None]


def row(each: Sample) -> Row:
    assert each.row is not None
    return each.row


def has_you(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([float("you" in " ".join(each.parts.values())) for each in samples])


def onwards(_: Progress) -> bool:
    return True


def runs(net: Network, copies: Sequence[Sample]) -> dict[str, Run]:
    """Every method on what has "you" in it and what has not, as (folder, go_on) → tuned."""
    liked = [row(each) for each, has in zip(copies, has_you(copies), strict=True) if has]
    others = [row(each) for each, has in zip(copies, has_you(copies), strict=True) if not has]
    won = [Won(row=each, weight=1 + at % 3) for at, each in enumerate(liked)]
    pairs = [
        Preferred(chosen=one, rejected=other, weight=1 + at % 2)
        for at, (one, other) in enumerate(zip(liked, others, strict=False))
    ]
    judged = [
        *(Judged(row=each, label=True) for each in liked),
        *(Judged(row=each, label=False) for each in others),
    ]
    return {
        "sft": lambda out, go_on: tune_supervised(
            won, out, base=net, recipe=TEACHING, save_every=2, go_on=go_on
        ),
        "dpo": lambda out, go_on: tune_preferences(
            pairs, out, method="dpo", base=net, recipe=TEACHING, save_every=2, go_on=go_on
        ),
        "kto": lambda out, go_on: tune_preferences(
            judged, out, method="kto", base=net, recipe=TEACHING, save_every=2, go_on=go_on
        ),
        "grpo": lambda out, go_on: tune_by_reward(
            briefs(3), has_you, out, base=net, recipe=REWARDING, save_every=2, go_on=go_on
        ),
    }


METHODS = ("sft", "dpo", "kto", "grpo")


def equal(left: HouseTuner, right: HouseTuner) -> bool:
    one, other = left.weights(), right.weights()
    return all(np.array_equal(one[name], other[name]) for name in one)


def share_with_you(model: Network) -> float:
    return float(has_you([each for each in draw(model, briefs(4), 60, seed=9) if each.fit]).mean())


# --- every method ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_tuned_model_writes_more_of_what_was_liked(
    net: Network, copies: list[Sample], tmp_path: Path, method: str
) -> None:
    told: list[Progress] = []
    tuner, done = runs(net, copies)[method](tmp_path, lambda each: not told.append(each))
    assert (done.share, done.steps, done.method) == (1, len(told), method)
    assert share_with_you(tuner.network()) > share_with_you(net) + 0.1
    folder = tmp_path / "model"
    build = tuner.export(folder)
    assert build.version != net.build.version
    assert share_with_you(Network.load(folder)) > share_with_you(net) + 0.1
    assert House(folder).network.build == build


@pytest.mark.parametrize("method", METHODS)
def test_every_step_tells_its_figures(
    net: Network, copies: list[Sample], tmp_path: Path, method: str
) -> None:
    told: list[Progress] = []
    runs(net, copies)[method](tmp_path, lambda each: not told.append(each))
    own = {
        "sft": set[str](),
        "dpo": {"right"},
        "kto": {"right"},
        "grpo": {"score", "fit", "moved"},
    }[method]
    for each in told:
        for name in ("rate", "loss", "norm", "entropy", "kl", *own):
            assert not isnan(getattr(each, name)), name
        for name in {"right", "score", "fit", "moved"} - own:
            assert isnan(getattr(each, name)), name
        assert each.norm > 0
        assert 0 < each.entropy < np.log(len(net.build.pieces))
    assert told[0].kl == pytest.approx(0, abs=1e-6)
    assert told[-1].kl > 1e-3
    assert [each.steps for each in told] == list(range(1, len(told) + 1))
    assert all(before.seen < after.seen for before, after in pairwise(told))


@pytest.mark.parametrize("method", METHODS)
def test_a_tuning_killed_halfway_comes_to_the_weights_of_one_never_stopped(
    net: Network, copies: list[Sample], tmp_path: Path, method: str
) -> None:
    run = runs(net, copies)[method]
    whole, done = run(tmp_path / "whole", onwards)

    class Killed(Exception): ...

    def die(progress: Progress) -> bool:
        if progress.steps == 3:  # a step after the last checkpoint
            raise Killed
        return True

    with pytest.raises(Killed):
        run(tmp_path / "parts", die)
    _, stopped = run(tmp_path / "parts", lambda each: each.steps < 5)
    assert stopped.steps == 5
    assert stopped.share < 1
    parts, again = run(tmp_path / "parts", onwards)
    assert equal(whole, parts)
    assert again == done
    finished, still = run(tmp_path / "parts", onwards)
    assert equal(whole, finished)
    assert (still.share, still.steps, still.seen) == (1, done.steps, done.seen)


# --- what goes wrong ---------------------------------------------------------------------------


def test_a_checkpoint_of_another_tuning_is_refused(
    net: Network, copies: list[Sample], tmp_path: Path
) -> None:
    won = [Won(row=row(each)) for each in copies]
    brisk = replace(TEACHING, passes=1)
    tune_supervised(won, tmp_path, base=net, recipe=brisk, go_on=lambda _: False)
    for rows, recipe in ((won, replace(brisk, seed=1)), (won[1:], brisk)):
        with pytest.raises(Refused, match="another tuning"):
            tune_supervised(rows, tmp_path, base=net, recipe=recipe)
    with pytest.raises(Refused, match="another tuning"):
        tune_by_reward(briefs(1), has_you, tmp_path, base=net, recipe=REWARDING)


def test_rows_that_cannot_be_learned_from_are_refused(
    net: Network, copies: list[Sample], tmp_path: Path
) -> None:
    odd = Row(source="copy", conditions=(), fields=())
    unread = replace_text(row(copies[0]), "☃")
    with pytest.raises(Refused, match="none of the 1 rows"):
        tune_supervised([Won(row=unread)], tmp_path, base=net)
    with pytest.raises(Refused, match="none of the 0 rows"):
        tune_supervised([], tmp_path, base=net)
    for weight in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(BadInput, match="above 0"):
            tune_supervised([Won(row=odd, weight=weight)], tmp_path, base=net)
    judged = [Judged(row=row(copies[0]), label=True)]
    with pytest.raises(BadInput, match="KTO"):
        tune_preferences(judged, tmp_path, method="dpo", base=net)


def replace_text(one: Row, text: str) -> Row:
    first = one.fields[0]
    spot = type(first)(conditions=first.conditions, room=first.room, text=text)
    return Row(source=one.source, conditions=one.conditions, fields=(spot, *one.fields[1:]))


def test_recipes_that_cannot_be_are_refused() -> None:
    for make in (
        lambda: Teaching(passes=0),
        lambda: Teaching(forget=1),
        lambda: Teaching(warm_up=0),
        lambda: Rewarding(per_brief=1),
        lambda: Rewarding(looks=1),
        lambda: Rewarding(steps=0),
        lambda: Rewarding(beta=-1),
    ):
        with pytest.raises(BadInput):
            make()


def test_a_score_that_is_no_number_and_briefs_that_cannot_be_written_for_are_refused(
    net: Network, tmp_path: Path
) -> None:
    def none(samples: Sequence[Sample]) -> np.ndarray:
        return np.full(len(samples), np.nan)

    def one(_: Sequence[Sample]) -> np.ndarray:
        return np.zeros(1)

    for score in (none, one):
        with pytest.raises(BadInput, match="one number for each"):
            tune_by_reward(briefs(2), score, tmp_path, base=net, recipe=REWARDING)
    german = replace(briefs(1)[0], locale="de")
    for asked in ([], [german]):
        with pytest.raises(BadInput, match="can write for"):
            tune_by_reward(asked, has_you, tmp_path, base=net, recipe=REWARDING)


def test_a_gradient_that_is_no_number_is_refused(net: Network, copies: list[Sample]) -> None:
    tuner = HouseTuner(net)
    before = tuner.weights()
    line = tuner.reader.line(row(copies[0]))
    assert line is not None
    with pytest.raises(Refused, match="no number"):
        tuner.update([tuner.said([line]).chosen.sum() * float("nan")], 0.1)
    assert all(np.array_equal(before[name], w) for name, w in tuner.weights().items())


# --- parts of it -------------------------------------------------------------------------------


def test_a_tuner_says_what_the_network_says(net: Network, copies: list[Sample]) -> None:
    tuner = HouseTuner(net)
    assert all(np.array_equal(w, arrays(net)[name]) for name, w in tuner.weights().items())
    rows = [row(each) for each in copies[:20]]
    lines = [line for each in rows if (line := tuner.reader.line(each)) is not None]
    sizes = [len(line.rooms) for line in lines]
    for found in (tuner.chosen(lines), tuner.chosen(lines, base=True), tuner.said(lines).base):
        mean = found.sum(1).numpy() / sizes
        assert mean == pytest.approx(likelihood(net, rows), abs=0.02)  # bfloat16 on some machines


def test_the_base_stays_as_it_was_while_the_weights_are_tuned(
    net: Network, copies: list[Sample]
) -> None:
    tuner = HouseTuner(net)
    line = tuner.reader.line(row(copies[0]))
    assert line is not None
    before = tuner.chosen([line], base=True)
    for _ in range(3):
        tuner.update([-tuner.said([line]).chosen.sum()], 1e-3)
    assert (tuner.chosen([line], base=True) == before).all()
    assert tuner.chosen([line]).sum() > before.sum() + 0.2
    said = tuner.said([line])
    assert said.kl > 0
    assert said.chosen.sum().item() == pytest.approx(tuner.chosen([line]).sum().item(), rel=1e-3)


def test_heavier_rows_are_learned_more(net: Network, copies: list[Sample], tmp_path: Path) -> None:
    one, other = row(copies[0]), row(copies[1])
    assert one != other

    def gained(first: float, second: float, folder: str) -> np.ndarray:
        rows = [Won(row=one, weight=first), Won(row=other, weight=second)]
        recipe = replace(TEACHING, passes=3, batch=10_000)
        tuner, _ = tune_supervised(rows, tmp_path / folder, base=net, recipe=recipe)
        return likelihood(tuner.network(), [one, other]) - likelihood(net, [one, other])

    left, right = gained(9, 1, "a"), gained(1, 9, "b")
    assert left[0] > right[0]
    assert right[1] > left[1]


def test_pairs_are_judged_as_good_and_bad_by_kto(
    net: Network, copies: list[Sample], tmp_path: Path
) -> None:
    pairs = [
        Preferred(chosen=row(one), rejected=row(other))
        for one, other in zip(copies[::2], copies[1::2], strict=False)
    ]
    judged = [
        Judged(row=each, label=label)
        for pair in pairs
        for each, label in ((pair.chosen, True), (pair.rejected, False))
    ]
    brisk = replace(TEACHING, passes=1)
    tuned = [
        tune_preferences(rows, tmp_path / name, method="kto", base=net, recipe=brisk)[0]
        for name, rows in (("pairs", pairs), ("judged", judged))
    ]
    assert equal(*tuned)


def test_a_strong_beta_keeps_the_model_near_its_base(net: Network, tmp_path: Path) -> None:
    ends = [
        tune_by_reward(
            briefs(3), has_you, tmp_path / str(beta), base=net, recipe=replace(REWARDING, beta=beta)
        )[1]
        for beta in (0.0, 5.0)
    ]
    assert ends[1].kl < ends[0].kl / 2
    assert ends[1].score < ends[0].score


def test_updates_that_go_too_far_lower_the_rate(net: Network, tmp_path: Path) -> None:
    rates: dict[float, float] = {}
    for reach in (1e-5, 1.0):
        recipe = replace(REWARDING, reach=reach)
        _, done = tune_by_reward(briefs(3), has_you, tmp_path / str(reach), base=net, recipe=recipe)
        rates[reach] = done.rate
    assert rates[1.0] == REWARDING.rate
    assert rates[1e-5] < REWARDING.rate / 10


def test_a_taught_models_rate_rises_then_falls() -> None:
    rates = [TEACHING.rate_at(step, 40) for step in range(40)]
    top = int(np.argmax(rates))
    assert 1 <= top <= 3
    assert rates[0] < rates[top] <= TEACHING.rate
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[-1] < 0.1 * TEACHING.rate


def test_scores_see_fitting_copies_in_groups_with_their_likelihood_and_memory_is_kept(
    net: Network, tmp_path: Path
) -> None:
    class Counter:
        def __init__(self) -> None:
            self.calls = 0

        def dump(self) -> bytes:
            return str(self.calls).encode()

        def load(self, content: bytes) -> None:
            self.calls = int(content)

    def run(folder: str, counter: Counter, most: int) -> list[list[int]]:
        seen: list[list[int]] = []

        def score(samples: Sequence[Sample]) -> np.ndarray:
            assert all(each.fit and each.loglik < 0 for each in samples)
            rows = [row(each) for each in samples]
            assert [each.loglik for each in samples] == pytest.approx(
                likelihood(net, rows), abs=0.02
            )
            groups = [each.group for each in samples]
            assert groups == sorted(groups)
            seen.append(groups)
            counter.calls += 1
            return has_you(samples) * counter.calls

        tune_by_reward(
            briefs(3), score, tmp_path / folder, base=net, recipe=REWARDING,
            memory=counter, go_on=lambda each: each.steps < most,
        )  # fmt: skip
        return seen

    seen = run("one", Counter(), 4)
    assert len(seen) == 4
    assert all(set(groups) <= {0, 1} for groups in seen)
    first, second = Counter(), Counter()
    run("two", first, 2)
    run("two", second, 4)
    assert (first.calls, second.calls) == (2, 4)


@pytest.fixture
def base(net: Network, tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    known = net.build
    export(arrays(net), folder, recipe=RECIPE, pieces=known.pieces, conditions=known.conditions)
    return folder


@pytest.mark.parametrize(
    ("first", "all_of_it"),
    [
        (
            Rewarding(steps=2, briefs=4, per_brief=8, rate=5e-3, warm_up=2, reach=0.02, batch=256),
            {"steps": 4},
        ),
        (
            Ranking(rounds=1, briefs=6, per_brief=8, teaching=Teaching(batch=128, rate=3e-3)),
            {"rounds": 2},
        ),
    ],
)
def test_pursued_model_is_written_drawn_and_goes_on(
    net: Network,
    base: Path,
    tmp_path: Path,
    first: Ranking | Rewarding,
    all_of_it: dict[str, int],
) -> None:
    encoder = encoder_named("static")
    seen = [
        Lesson(
            candidate=Candidate(brief=brief, parts={"headline": text, "cta": CTAS[0]}, group=0),
            gain=gain,
            precision=50.0,
            stratum=brief.id,
            product_id=brief.product.id,
        )
        for brief in briefs(4)
        for text, gain in (("Made for you", 0.2), ("See the bag", -0.2))
    ]
    models = (
        RewardModel.fit(seen, encoder, seed=1, members=4),
        HeldOut(RewardModel.fit(seen, encoder, seed=2, members=4)),
    )

    def pursued(folder: str, recipe: Ranking | Rewarding) -> Pursued:
        return pursue(
            briefs(4), models, tmp_path / folder, encoder=encoder, base=base, recipe=recipe
        )

    recipe = replace(first, **all_of_it)
    whole = pursued("whole", recipe)
    pursued("halves", first)
    halves = pursued("halves", recipe)
    assert (halves.steps, halves.paid) == (whole.steps, whole.paid)
    assert (whole.folder.parent / "progress.svg").read_text().startswith("<svg")
    drafts = House(whole.folder).write(briefs(1)[0], 2, seed=1)
    assert drafts[0].prompt == Network.load(whole.folder).build.version != net.build.version
    assert bool(whole.why) == (whole.folder.parent / "stopped.json").exists()


def test_a_writer_that_narrowed_draws_more_boldly(base: Path, tmp_path: Path) -> None:
    copies = [each for each in draw(Network.load(base), briefs(4), 8, seed=3) if each.row]
    taught = [Won(row=row(each)) for each in copies[:1]]
    tuner, _ = tune_supervised(taught, tmp_path, base=base, recipe=replace(TEACHING, passes=20))
    tuner.export(tmp_path / "narrow")
    encoder = encoder_named("static")
    assert varied_at(base, base, briefs(4), encoder, 0) == 1.1
    assert varied_at(tmp_path / "narrow", base, briefs(4), encoder, 0) > 1.1


def test_a_model_draws_as_boldly_as_its_card_says(base: Path) -> None:
    before = Network.load(base).build
    assert before.temperature == 1.1
    assert set_temperature(base, 1.1) == before
    after = set_temperature(base, 1.4)
    assert (after.temperature, Network.load(base).build) == (1.4, after)
    assert after.version != before.version
    assert House(base)._luck.temperature == 1.4
    assert House(base, temperature=0.7)._luck.temperature == 0.7


def test_an_anchor_holds_up_the_better_line(
    net: Network, copies: Sequence[Sample], tmp_path: Path
) -> None:
    rows = [row(each) for each in copies[:8]]
    pairs = [Preferred(chosen=a, rejected=b) for a, b in pairwise(rows) if a != b]
    found: list[float] = []
    for anchor in (0.0, 2.0):
        recipe = replace(TEACHING, passes=6, anchor=anchor)
        tuner, _ = tune_preferences(
            pairs, tmp_path / f"{anchor}", method="dpo", base=net, recipe=recipe
        )
        found.append(float(likelihood(tuner.network(), [each.chosen for each in pairs]).mean()))
    assert found[1] > found[0]
    with pytest.raises(BadInput):
        Teaching(anchor=-1.0)


# --- by rank ------------------------------------------------------------------------------------


RANKING = Ranking(
    rounds=2, briefs=6, per_brief=8, teaching=Teaching(passes=8, batch=128, rate=5e-3, beta=0.1)
)


def ranking(method: Literal["sft", "dpo", "kto"]) -> Ranking:
    return replace(RANKING, method=method)


def share_of_you(folder: Path) -> float:
    drawn = [each for each in draw(Network.load(folder), briefs(4), 40, seed=11) if each.fit]
    return float(has_you(drawn).mean())


@pytest.mark.parametrize("method", ["dpo", "kto", "sft"])
def test_what_is_drawn_in_rounds_comes_to_score_better(
    base: Path, tmp_path: Path, method: Literal["sft", "dpo", "kto"]
) -> None:
    told: list[float] = []
    rounds = tune_by_rank(
        briefs(4),
        has_you,
        tmp_path / "out",
        base=base,
        recipe=ranking(method),
        tell=lambda done: told.append(done.share),
    )
    assert [each.number for each in rounds] == [1, 2]
    assert all(each.drawn == 48 and 0 < each.fit <= 1 for each in rounds)
    assert share_of_you(model_after(tmp_path / "out", 2)) > share_of_you(base) + 0.15
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)


def test_rounds_that_are_done_are_not_done_again(base: Path, tmp_path: Path) -> None:
    calls: list[int] = []

    def score(samples: Sequence[Sample]) -> np.ndarray:
        assert all(each.fit and each.loglik < 0 for each in samples)
        calls.append(len(samples))
        return has_you(samples)

    def run(folder: str, rounds: int) -> list[Round]:
        recipe = replace(RANKING, rounds=rounds)
        return tune_by_rank(briefs(4), score, tmp_path / folder, base=base, recipe=recipe)

    whole = run("whole", 2)
    run("halves", 1)
    halves = run("halves", 2)
    assert len(calls) == 4
    assert halves == whole
    one, other = (model_after(tmp_path / name, 2) for name in ("whole", "halves"))
    assert Network.load(one).build.version == Network.load(other).build.version
    with pytest.raises(Refused, match="another tuning"):
        tune_by_rank(
            briefs(4), score, tmp_path / "whole", base=base, recipe=replace(RANKING, seed=1)
        )


def test_a_round_that_is_found_wanting_is_the_last(base: Path, tmp_path: Path) -> None:
    def run() -> list[Round]:
        return tune_by_rank(
            briefs(4), has_you, tmp_path, base=base, recipe=RANKING, check=lambda _, n: f"after {n}"
        )

    assert [each.why for each in run()] == ["after 1"]
    assert [each.why for each in run()] == ["after 1"]
    assert not model_after(tmp_path, 2).exists()


def test_best_stands_beside_worst_and_what_does_not_fit_is_worst(copies: Sequence[Sample]) -> None:
    texts = {text: each for each in copies for text in [str(each.row)]}
    four = [replace(each, group=0) for each in list(texts.values())[:4]]
    pairs = ranked(four, np.array([1.0, 3.0, -np.inf, 2.0]), 0.5)
    assert pairs == [(four[1].row, four[2].row), (four[3].row, four[0].row)]
    assert ranked(four, np.array([1.0, 1.0, 1.0, 1.0]), 0.5) == []
    assert ranked(four, np.full(4, -np.inf), 0.25) == []
    assert ranked(four[:3], np.array([1.0, 3.0, 2.0]), 0.25) == []


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"briefs": 0}, {"per_brief": 3}, {"share": 0.0}, {"share": 0.6}]
)
def test_rounds_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Ranking(**wrong)  # pyright: ignore[reportArgumentType]
