"""Draws from hashed seeds: the same seed and key give the same numbers, in any order, anywhere."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import blake2b
from math import exp, log, log1p
from statistics import NormalDist
from struct import unpack

_NORMAL = NormalDist()


def chances(seed: int, key: str) -> tuple[float, ...]:
    """Sixteen uniform numbers in (0, 1) that only the seed and the key decide."""
    digest = blake2b(f"{seed}|{key}".encode(), digest_size=64).digest()
    return tuple([(word + 0.5) / 2**32 for word in unpack("<16I", digest)])


def pick(shares: Mapping[str, float], chance: float) -> str:
    """The name that a uniform number falls on, among shares that sum to 1."""
    *names, last = shares
    for name in names:
        chance -= shares[name]
        if chance < 0:
            return name
    return last


def geometric(mean: float, chance: float) -> int:
    """A geometric number from 1 with this mean."""
    return 1 + int(log(chance) / log1p(-1 / mean))


def scale(log_sd: float, chance: float) -> float:
    """A lognormal number with median 1."""
    return exp(log_sd * _NORMAL.inv_cdf(chance))


def lognormal(log_sd: float, chance: float) -> float:
    """A lognormal number with mean 1."""
    return scale(log_sd, chance) * exp(-log_sd * log_sd / 2)


def delay(median_minutes: float, log_sd: float, chance: float) -> timedelta:
    """A lognormal time, in whole milliseconds."""
    return timedelta(milliseconds=round(60_000 * median_minutes * scale(log_sd, chance)))
