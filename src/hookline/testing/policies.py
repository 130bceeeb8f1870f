"""What every policy promises."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from hookline.policies.base import Policy, draw
from hookline.testing.promise import promised
from hookline.types import Arm, Attributes, Context, Decision, Trait, dumps

Array = NDArray[np.float64]

AT: Final = datetime(2025, 1, 1, tzinfo=UTC)
AUDIENCES: Final = ("savers", "gifters", "")
CLOSE: Final = 1e-9


def check_policy(make: Callable[[], Policy]) -> None:
    """Nothing, if the policies that `make` builds keep the contract of `Policy`.

    Probabilities sum to 1, each at least the floor, and arms are drawn as often as they say; the
    order of the arms does not matter; arms come and go; no context upsets it; state goes to JSON
    and back bit for bit and only learning changes it; a correction can be taken back; a clone is
    fresh. Checked before and after learning, with rewards of 0 and 1 and with money.

    Args:
        make: Builds the policy with nothing learned; called several times.

    Raises:
        AssertionError: Naming the promise that was broken.
    """
    for scale in (1.0, 37.5):
        policy = make()
        _taught(policy, scale)
        for each in (make(), policy):
            _policy_probabilities(each)
            _policy_draws(each)
            _policy_permutes(each)
            _policy_arms_come_and_go(each)
            _policy_strange_contexts(each)
            _policy_state(each, make)
        _policy_resumes(make, scale)
        _policy_inputs_untouched(policy, scale)
        _policy_corrects(make, scale)
        _policy_clone(policy, make)


# --- policies ------------------------------------------------------------------------------------


def _arms(count: int = 5) -> list[Arm]:
    """The control and its challengers, alike and unlike each other."""
    asked = [
        Attributes(),
        Attributes(angle="value", tone="bold", proof="price"),
        Attributes(angle="occasion", tone="warm", cta="treat", length="short"),
        Attributes(angle="curiosity", tone="playful", cta="discover", urgency="soft"),
    ]
    challengers = [
        Arm(
            id=f"copy{index}",
            text=f"Find {index} reasons to pack light",
            parts={"headline": f"Find {index} reasons to pack light"},
            attributes=asked[index % len(asked)],
            audience_id=AUDIENCES[index % 3],
        )
        for index in range(count - 1)
    ]
    control = Arm(id="control", text="Our backpack.", parts={}, control=True)
    return [control, *challengers]


def _contexts(count: int) -> list[tuple[Context, str]]:
    """Visitors of several audiences, with traits of every kind."""
    traits: list[Mapping[str, Trait]] = [
        {"loyalty": "gold", "visits": 3.0},
        {"loyalty": "none", "opted_in": True, "interests": ["hiking", "travel"]},
        {},
    ]
    return [
        (
            Context(
                visitor_id=f"visitor{index}",
                at=AT,
                traits=traits[index % 3],
                device=("mobile", "desktop")[index % 2],
            ),
            AUDIENCES[index // 2 % 3],
        )
        for index in range(count)
    ]


def _decision(policy: Policy, arms: Sequence[Arm], context: Context, audience: str) -> Decision:
    """A decision as `experiment.decide` makes it, drawn by a number fixed by the visitor."""
    shares = policy.probabilities(context, audience, arms)
    place = int(context.visitor_id.removeprefix("visitor")) * 0.618033988749895 % 1
    chosen = draw(shares, place)
    return Decision(
        id=context.visitor_id,
        experiment_id="check",
        arm_id=arms[chosen].id,
        propensity=float(shares[chosen]),
        probabilities={arm.id: float(p) for arm, p in zip(arms, shares, strict=True)},
        slice="policy",
        reason="policy",
        context=context,
        audience_id=audience,
        policy=policy.name,
    )


def _taught(policy: Policy, scale: float, count: int = 300) -> list[Decision]:
    """The decisions from which it taught the policy that the third arm pays twice as often."""
    arms = _arms()
    visitors = _contexts(count)
    decisions: list[Decision] = []
    for start in range(0, count, 10):  # outcomes settle late, so several at once
        batch = [_decision(policy, arms, *visitor) for visitor in visitors[start : start + 10]]
        for index, decision in enumerate(batch, start):
            wins = index % 100 < (30 if decision.arm_id == arms[2].id else 15)
            policy.learn(decision, arms, scale * wins)
        decisions += batch
    return decisions


def _shares(policy: Policy, arms: Sequence[Arm]) -> Array:
    """Probabilities for several visitors, shape (visitors, arms)."""
    asked = _contexts(6)
    return np.stack([policy.probabilities(context, name, arms) for context, name in asked])


def _policy_probabilities(policy: Policy) -> None:
    for count in (1, 2, 5, 12):
        shares = _shares(policy, _arms(count))
        floor = min(policy.floor, 0.5 / count)
        promised(shares.shape == (6, count), policy, "gives one probability per arm")
        promised(np.abs(shares.sum(axis=1) - 1).max() < CLOSE, policy, "makes them sum to 1")
        promised(shares.min() >= floor - 1e-15, policy, "gives each at least the floor")
    promised((_shares(policy, _arms(1)) == 1.0).all(), policy, "gives a single arm all")


def _policy_draws(policy: Policy) -> None:
    context, audience = _contexts(1)[0]
    shares = policy.probabilities(context, audience, _arms())
    count = 4000
    places = np.random.default_rng(7).random(count)
    drawn = np.bincount([draw(shares, place) for place in places], minlength=shares.size)
    expected = count * np.maximum(shares, 1e-12)
    distance = float(((drawn - expected) ** 2 / expected).sum())
    chance = gammaincc((shares.size - 1) / 2, distance / 2)
    promised(chance > 1e-6, policy, "has its arms drawn as often as it reports")


def _policy_permutes(policy: Policy) -> None:
    arms = _arms()
    order = [3, 0, 4, 2, 1]
    permuted = _shares(policy, [arms[index] for index in order])
    apart = np.abs(permuted - _shares(policy, arms)[:, order]).max()
    promised(apart < CLOSE, policy, "does not mind the order of the arms")


def _policy_arms_come_and_go(policy: Policy) -> None:
    arms = _arms()
    newcomer = replace(arms[1], id="newcomer", text="Try the new one")
    before = _shares(policy, arms)
    for changed in ([*arms, newcomer], arms[:-1], [arms[0], newcomer]):
        other = policy.clone()
        other.load(policy.dump())
        for index, (context, audience) in enumerate(_contexts(20)):
            decision = _decision(other, changed, context, audience)
            served = changed[index % len(changed)].id
            other.learn(replace(decision, arm_id=served), changed, 1.0)
        sums = _shares(other, changed).sum(axis=1)
        promised(np.abs(sums - 1).max() < CLOSE, policy, "lets arms join and leave in flight")
    promised((_shares(policy, arms) == before).all(), policy, "shares no state with its copies")


def _policy_strange_contexts(policy: Policy) -> None:
    strange: list[Mapping[str, Trait]] = [
        {"visits": float("nan"), "spend": float("inf"), "debt": float("-inf"), "tiny": -1e-300},
        {"loyalty": "", "": "", "interests": []},
        {"x" * 1000: "y" * 1000, "list": ["z" * 1000] * 100},
        {f"trait{index}": "\udcff\x00" for index in range(200)},
        {"loyalty": 3.0, "visits": "many", "interests": True, "opted_in": ["yes"]},
    ]
    arms = _arms()
    other = policy.clone()
    other.load(policy.dump())
    for index, traits in enumerate(strange):
        context = Context(visitor_id=f"visitor{index}", at=AT, traits=traits, device="?" * 1000)
        shares = other.probabilities(context, "nobody knows this audience", arms)
        promised(abs(shares.sum() - 1) < CLOSE, policy, "has probabilities for any context")
        decision = _decision(other, arms, context, "")
        other.learn(decision, arms, 1.0)
        other.correct(decision, arms, -1.0)
    sums = _shares(other, arms).sum(axis=1)
    promised(np.abs(sums - 1).max() < CLOSE, policy, "is not harmed by strange contexts")


def _policy_state(policy: Policy, make: Callable[[], Policy]) -> None:
    arms = _arms()
    state = policy.dump()
    shares = _shares(policy, arms)
    promised(policy.dump() == state, policy, "changes no state when asked for probabilities")
    other = make()
    other.load(state)
    promised(other.dump() == state, policy, "dumps what it was given to load")
    promised((_shares(other, arms) == shares).all(), policy, "acts the same after a load, exactly")


def _policy_resumes(make: Callable[[], Policy], scale: float) -> None:
    live = make()
    _taught(live, scale)
    resumed = make()
    resumed.load(live.dump())
    for each in (live, resumed):
        _taught(each, scale, count=40)
    promised(resumed.dump() == live.dump(), live, "learns on after a load as if there were none")


def _policy_inputs_untouched(policy: Policy, scale: float) -> None:
    arms = _arms()
    context, audience = _contexts(1)[0]
    decision = _decision(policy, arms, context, audience)
    before = dumps([decision, arms])
    other = policy.clone()
    other.learn(decision, arms, scale)
    other.correct(decision, arms, -scale)
    promised(dumps([decision, arms]) == before, policy, "changes no argument when it learns")


def _policy_corrects(make: Callable[[], Policy], scale: float) -> None:
    arms = _arms()
    policy = make()
    decisions = _taught(policy, scale)
    before = _shares(policy, arms)
    for decision in decisions[::7]:
        policy.correct(decision, arms, scale)
        policy.correct(decision, arms, -scale)
    apart = np.abs(_shares(policy, arms) - before).max()
    promised(apart < 1e-6, policy, "is back where it was after a correction and its opposite")


def _policy_clone(policy: Policy, make: Callable[[], Policy]) -> None:
    clone = policy.clone()
    promised(type(clone) is type(policy), policy, "clones to its own kind")
    promised(clone.floor == policy.floor, policy, "clones with its arguments")
    promised(clone.dump() == make().dump(), policy, "clones without what it has learned")
