"""The contract of every registered policy, and that the contract can tell."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pytest

from hookline.policies import POLICIES, Policy, make_policy
from hookline.policies.base import Array
from hookline.policies.uniform import Uniform
from hookline.testing import check_policy
from hookline.types import Arm, Context, Decision


@pytest.mark.parametrize("name", POLICIES)
def test_contract_holds(name: str) -> None:
    check_policy(lambda: make_policy(name, {}))


@pytest.mark.parametrize("name", POLICIES)
def test_contract_holds_at_the_ends_of_the_floor(name: str) -> None:
    check_policy(lambda: make_policy(name, {"floor": 0.0}))
    check_policy(lambda: make_policy(name, {"floor": 0.5}))


class Skewed(Uniform):
    """Breaks one promise: it gives the arm that comes first more."""

    name = "skewed"

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return 1.0 / np.arange(1, len(arms) + 1)


class Lying(Uniform):
    """Reports other probabilities than it should: they don't sum to 1."""

    name = "lying"

    def probabilities(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return np.full(len(arms), 0.4)


class Forgetful(Uniform):
    """Counts how often it was asked, in the state it dumps."""

    name = "forgetful"

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        self.asked += 1
        return np.ones(len(arms))

    def dump(self) -> str:
        return f'{{"arms":{{"asked":[{self.asked},0.0,0.0]}}}}'

    def clone(self) -> Self:
        return type(self)()


class Stubborn(Uniform):
    """Ignores corrections downwards."""

    name = "stubborn"

    def propose(self, context: Context, audience_id: str, arms: Sequence[Arm]) -> Array:
        return np.array([1.0 + self._sums.get(arm.id, (0, 0.0, 0.0))[1] for arm in arms])

    def correct(self, decision: Decision, arms: Sequence[Arm], delta: float) -> None:
        super().correct(decision, arms, max(delta, 0.0))


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (Skewed, "order of the arms"),
        (Lying, "sum to 1"),
        (Forgetful, "changes no state"),
        (Stubborn, "its opposite"),
    ],
)
def test_contract_notices_a_broken_promise(broken: type[Policy], promise: str) -> None:
    with pytest.raises(AssertionError, match=promise):
        check_policy(broken)
