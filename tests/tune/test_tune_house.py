"""Tuning a tiny house model by every method: it learns, stops, goes on and is exported."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from hookline.errors import BadInput, Refused
from hookline.house.rows import Row
from hookline.tune.house import (
    HouseTuner,
    Judged,
    Preferred,
    Progress,
    Rewarding,
    Sample,
    Teaching,
    Won,
    draw,
    likelihood,
    tune_by_reward,
    tune_preferences,
    tune_supervised,
)
from hookline.tune.house.tuner import arrays
from hookline.writers.house import House
from hookline.writers.house.network import Network
from tune.made_tiny import (
    TEACHING,
    briefs,
    has_you,
    row,
)

pytestmark = pytest.mark.usefixtures("one_thread")
REWARDING = Rewarding(steps=8, briefs=2, per_brief=12, rate=5e-3, warm_up=2, reach=0.02, batch=256)
Run = Callable[[Path, Callable[[Progress], bool]], tuple[HouseTuner, Progress]]


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
