"""Other people's policies behind our interface, so that a benchmark can run them in the same run.

`make peers` installs what they need; without it `installed` leaves those out that need more than
Hookline does, and benchmarks go on with the rest. One file a peer; none imports another.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import Final

from benchmarks.peers.deep_fm import DeepFM
from benchmarks.peers.linear import DiscountedLinTS, LinUcb
from benchmarks.peers.mab_wiser import MabWiser
from benchmarks.peers.sliding_thompson import SlidingThompson
from benchmarks.peers.vowpal_wabbit import SquareCB
from hookline.policies import Policy

__all__ = ["DRIFT_PEERS", "PEERS", "SquareCB", "installed"]

Peers = Mapping[str, tuple[str, Callable[[], Policy]]]
"""Label → package it needs, and what builds the policy."""

PEERS: Final[Peers] = {"vowpal_wabbit, squarecb": ("vowpalwabbit", SquareCB)}
"""Whom every benchmark of policies compares with."""

DRIFT_PEERS: Final[Peers] = {
    "sliding-window thompson": ("numpy", SlidingThompson),
    "discounted lints": ("numpy", DiscountedLinTS),
    "linucb": ("numpy", LinUcb),
    "deepfm": ("torch", DeepFM),
    "mabwiser, linucb": ("mabwiser", MabWiser),
    "vowpal wabbit, squarecb": ("vowpalwabbit", partial(SquareCB, gamma_scale=1)),
}
"""Whom `benchmarks.drift` compares with; Stable-Baselines3 plays a loop of its own there."""


def installed(peers: Peers = PEERS) -> dict[str, Callable[[], Policy]]:
    """Those of the peers whose packages are here: label → what builds the policy."""
    return {label: make for label, (package, make) in peers.items() if find_spec(package)}
