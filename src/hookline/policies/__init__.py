"""Policies: rules for sharing traffic among the arms of a test."""

import inspect
from collections.abc import Mapping
from typing import Final

from hookline.errors import BadInput, UnregisteredName
from hookline.policies.actor_critic import ActorCritic
from hookline.policies.base import Policy, draw
from hookline.policies.explore_then_commit import ExploreThenCommit
from hookline.policies.horizon_thompson import HorizonThompson
from hookline.policies.lola import Lola
from hookline.policies.ppo import Ppo
from hookline.policies.thompson import Thompson
from hookline.policies.ucb import Ucb
from hookline.policies.uniform import Uniform

__all__ = ["POLICIES", "Policy", "draw", "make_policy", "parameters_of"]

POLICIES: Final[Mapping[str, type[Policy]]] = {
    Uniform.name: Uniform,
    ExploreThenCommit.name: ExploreThenCommit,
    Thompson.name: Thompson,
    Ucb.name: Ucb,
    Lola.name: Lola,
    HorizonThompson.name: HorizonThompson,
    ActorCritic.name: ActorCritic,
    Ppo.name: Ppo,
}
"""Name → policy."""


def make_policy(name: str, params: Mapping[str, float]) -> Policy:
    """The named policy, with nothing learned.

    Args:
        name: A name in `POLICIES`.
        params: Its constructor's keyword arguments; those left out keep their defaults.

    Raises:
        UnregisteredName: Where no policy has that name.
        BadInput: Where a parameter is unknown or outside its range.

    Examples:
        >>> make_policy("thompson", {"spread": 0.2}).name
        'thompson'
    """
    known = parameters_of(name)
    if unknown := sorted(set(params) - set(known)):
        raise BadInput(
            f"policy {name!r} has no parameter {unknown[0]!r}; it takes {', '.join(sorted(known))}"
        )
    return POLICIES[name](**params)


def parameters_of(name: str) -> frozenset[str]:
    """Names of the parameters that the named policy takes.

    Raises:
        UnregisteredName: Where no policy has that name.
    """
    if name not in POLICIES:
        raise UnregisteredName("policy", name, POLICIES)
    return frozenset(inspect.signature(POLICIES[name]).parameters)
