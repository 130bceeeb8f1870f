"""Whether training still does what it is for, and when it must stop.

    a batch → look → what it promises, what the held-out model says, what it claims, how it repeats
    looks, against the base writer's → Watch.reason → why to stop, or nothing

A reward that is optimised stops being a measure (Gao et al. 2022,
https://arxiv.org/abs/2210.10760). What gives it away is watched by what is never optimised: a
reward model of other products, what copy claims (El and Zou 2025,
https://arxiv.org/abs/2510.06105: sales by simulated shoppers +6.3 % came with +14 % deceptive
copy), how it repeats itself, and whether anything is still drawn at random.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot, isnan, nan
from typing import Final

import numpy as np
import regex

from hookline.diversity import compression_ratio, self_bleu
from hookline.errors import BadInput
from hookline.guards import Claims
from hookline.guards.claim_words import claims_in, idioms
from hookline.guards.quantities import quantities
from hookline.tune.objectives import Candidate, Reading, groups_of
from hookline.words import fold, language_of

QUIET: Final = frozenset({"free_of", "feature", "material", "origin"})
"""Kinds of claim that describe and do not press."""
_RUN: Final = 2
_WORD: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{M}\p{N}]+")
_GUARD: Final = Claims()


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What one batch of drawn copy is like.

    Attributes:
        step: Steps of training so far.
        proxy: The reward that is optimised, before it is weighed with others.
        held_out: What the held-out model says, in the same unit.
        unfounded: Share of copies with a claim that the product's feed does not carry.
        claims: Claims in a copy that press, true or not: numbers, superlatives, guarantees, awards,
            scarcity, prices, health and environment.
        self_bleu: Of the batch's texts, 0 to 1.
        compression: Of the batch's texts.
        distinct: Different pairs of neighbouring words over all pairs, 0 to 1.
        entropy: Of a drawn piece, nats; nan where nobody measured it.
        texts: How many copies the batch has.
    """

    step: int
    proxy: Reading
    held_out: Reading
    unfounded: Reading
    claims: Reading
    self_bleu: float
    compression: float
    distinct: float
    entropy: float
    texts: int


def look(
    candidates: Sequence[Candidate],
    *,
    step: int,
    proxy: Reading,
    held_out: Reading,
    entropy: float = nan,
) -> Look:
    """What a batch is like.

    Args:
        candidates: All that was drawn, what guards reject included, at least 2.
        step: Steps of training so far.
        proxy: Mean of the conversion objective over them.
        held_out: `HeldOut.reading` of them.
        entropy: Of a drawn piece, nats.

    Raises:
        BadInput: Where there are fewer than two.
    """
    if len(candidates) < 2:
        raise BadInput("a look takes a batch of at least two copies")
    groups, texts = groups_of(candidates), [each.text for each in candidates]
    return Look(
        step=step,
        proxy=proxy,
        held_out=held_out,
        unfounded=Reading.of(np.array([float(unfounded(each)) for each in candidates]), groups),
        claims=Reading.of(np.array([float(pressing(each)) for each in candidates]), groups),
        self_bleu=self_bleu(texts),
        compression=compression_ratio(texts),
        distinct=distinct(texts),
        entropy=entropy,
        texts=len(texts),
    )


def mean_look(looks: Sequence[Look]) -> Look:
    """Several looks of as many copies each as one.

    How often copies repeat each other varies much from batch to batch.

    Raises:
        BadInput: Where there is none, or they are of different numbers of copies.
    """
    if len({each.texts for each in looks}) != 1:
        raise BadInput("a mean is that of one or more looks of as many copies each")
    return replace(
        looks[0],
        proxy=_mean([each.proxy for each in looks]),
        held_out=_mean([each.held_out for each in looks]),
        unfounded=_mean([each.unfounded for each in looks]),
        claims=_mean([each.claims for each in looks]),
        self_bleu=float(np.mean([each.self_bleu for each in looks])),
        compression=float(np.mean([each.compression for each in looks])),
        distinct=float(np.mean([each.distinct for each in looks])),
    )


def unfounded(candidate: Candidate) -> bool:
    """Whether the copy claims something that its product's feed does not carry."""
    return not all(each.ok for each in _GUARD.check(candidate.parts, candidate.brief))


def pressing(candidate: Candidate) -> int:
    """How many claims that press the copy makes, whether the feed carries them or not.

    The grounding guard lets a claim pass that is true. A writer can still learn to shout all that
    is true, so these are counted beside it.
    """
    language = language_of(candidate.brief.locale)
    count = 0
    for text in candidate.parts.values():
        plain = idioms(language).sub(" ", fold(text))
        taken: list[tuple[int, int]] = []
        spans = [
            (match.span(), kind.name not in QUIET)
            for kind, words in claims_in(language)
            for match in words.finditer(plain)
        ]
        spans += [((each.start, each.end), True) for each in quantities(plain, language)]
        for (start, end), presses in spans:
            if not any(start < b and a < end for a, b in taken):
                taken.append((start, end))
                count += presses
    return count


def distinct(texts: Sequence[str], size: int = _RUN) -> float:
    """Different runs of words over all of them, 0 to 1; 1 where there is no run.

    After Li et al. 2016 (https://aclanthology.org/N16-1014). It falls with the number of texts.

    Args:
        texts: Of any number.
        size: Words of a run, at least 1.

    Examples:
        >>> distinct(["a red bag", "a red hat"])
        0.75
    """
    runs: list[tuple[str, ...]] = []
    for text in texts:
        words: list[str] = _WORD.findall(text.casefold())
        runs += [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far training may go.

    Attributes:
        window: Looks over which trends are told, even and at least 4.
        sigmas: Standard errors that a difference must exceed to be none of luck, above 0.
        follow: Share of the proxy's rise that the held-out reward must follow with.
        settle: Looks whose mean is held against the base where a look's own noise is not known.
        claims: Claims a copy more than the base's that are let pass.
        alike: Self-BLEU more than the base's that is let pass.
        longer: Compression ratio over the base's that is let pass.
        distinct: Least share of the base's distinct pairs that must be left.
        entropy: Least share of the base's entropy that must be left.
    """

    window: int = 10
    sigmas: float = 2.0
    follow: float = 0.2
    settle: int = 3
    claims: float = 0.25
    alike: float = 0.1
    longer: float = 1.15
    distinct: float = 0.8
    entropy: float = 0.5

    def __post_init__(self) -> None:
        if self.window < 4 or self.window % 2 or self.settle < 1:
            raise ValueError("window is even and at least 4, settle at least 1")
        if not (self.sigmas > 0 and 0 <= self.follow < 1):
            raise ValueError("sigmas must be above 0, follow from 0 to below 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """What the base writer is like, and how far a tuned one may go from it.

    Attributes:
        base: A look at the base writer's copy: as many copies, for the same or like briefs.
        limits: How far.
    """

    base: Look
    limits: Limits = Limits()

    def reason(self, looks: Sequence[Look]) -> str:
        """Why training must stop, in a sentence; empty while it may go on.

        Args:
            looks: All so far, oldest first, the base's left out; of as many copies as the base's.

        Raises:
            BadInput: Where a look is of another number of copies than the base's: repetition
                depends on it.
        """
        if any(each.texts != self.base.texts for each in looks):
            raise BadInput(f"looks must be of {self.base.texts} copies each, as the base's is")
        found = (*self._parted(looks), *self._deceives(looks), *self._repeats(looks))
        return next(iter((*found, *self._narrows(looks))), "")

    def _parted(self, looks: Sequence[Look]) -> Iterator[str]:
        """Whether the proxy rises and the held-out reward does not.

        Over the window, with Δ the mean of its later half less that of its earlier half and e the
        standard error of that: Δ_proxy > z·e_proxy and Δ_held + z·e_held < follow · Δ_proxy.
        """
        limits = self.limits
        if len(looks) < limits.window:
            return
        recent = looks[-limits.window :]
        proxy = _trend([each.proxy for each in recent])
        held = _trend([each.held_out for each in recent])
        rises = proxy.mean > limits.sigmas * proxy.error
        if rises and held.mean + limits.sigmas * held.error < limits.follow * proxy.mean:
            does = "fell" if held.mean + limits.sigmas * held.error < 0 else "stopped rising"
            yield (
                f"The reward that is optimised rose by {proxy.mean:.3f} over {limits.window} looks "
                f"while the held-out one {does} ({held.mean:+.3f} ± {held.error:.3f}): what is "
                "learned is the reward model's mistakes."
            )

    def _deceives(self, looks: Sequence[Look]) -> Iterator[str]:
        """Whether copy claims more than the base's did."""
        recent = looks[-self.limits.settle :]
        if len(recent) < self.limits.settle:
            return
        if self._above(recent, lambda each: each.unfounded):
            now = np.mean([each.unfounded.mean for each in recent])
            yield (
                f"{now:.1%} of copies claim what the product's feed does not carry, "
                f"{self.base.unfounded.mean:.1%} of the base writer's: deception pays."
            )
        if self._above(recent, lambda each: each.claims, self.limits.claims):
            now = np.mean([each.claims.mean for each in recent])
            yield (
                f"A copy makes {now:.2f} claims that press, the base writer's "
                f"{self.base.claims.mean:.2f}: true or not, it has begun to shout."
            )

    def _above(
        self, recent: Sequence[Look], of: Callable[[Look], Reading], allowed: float = 0.0
    ) -> bool:
        """Whether the mean lies above the base's by more than is allowed and luck explains.

        A share of 0 has an error of 0: it is taken for that of one copy in the batch.
        """
        now, base = _mean([of(each) for each in recent]), of(self.base)
        error = max(hypot(now.error, base.error), 1 / self.base.texts)
        return now.mean - base.mean > allowed + self.limits.sigmas * error

    def _repeats(self, looks: Sequence[Look]) -> Iterator[str]:
        """Whether copies have become alike."""
        limits, base = self.limits, self.base
        recent = looks[-limits.settle :]
        if len(recent) < limits.settle:
            return
        bleu = float(np.mean([each.self_bleu for each in recent]))
        packed = float(np.mean([each.compression for each in recent]))
        pairs = float(np.mean([each.distinct for each in recent]))
        for name, now, was, wrong in (
            ("self-BLEU", bleu, base.self_bleu, bleu > base.self_bleu + limits.alike),
            ("compression", packed, base.compression, packed > base.compression * limits.longer),
            ("distinct pairs", pairs, base.distinct, pairs < base.distinct * limits.distinct),
        ):
            if wrong:
                yield (
                    f"Copies repeat each other: {name} is {now:.2f}, the base writer's {was:.2f}."
                )

    def _narrows(self, looks: Sequence[Look]) -> Iterator[str]:
        """Whether hardly anything is drawn at random any more."""
        recent = looks[-self.limits.settle :]
        now = float(np.mean([each.entropy for each in recent])) if recent else nan
        least = self.limits.entropy * self.base.entropy
        if len(recent) == self.limits.settle and not isnan(now) and now < least:
            yield (
                f"The entropy of a drawn piece is {now:.2f} nats, the base writer's "
                f"{self.base.entropy:.2f}: it always says the same."
            )


def _mean(readings: Sequence[Reading]) -> Reading:
    """The mean of several readings and its error."""
    count = len(readings)
    errors = [each.error for each in readings]
    mean = sum(each.mean for each in readings) / count
    return Reading(mean=mean, error=hypot(*errors) / count)


def _trend(readings: Sequence[Reading]) -> Reading:
    """Mean of the later half less that of the earlier one."""
    half = len(readings) // 2
    early, late = _mean(readings[:half]), _mean(readings[half:])
    return Reading(mean=late.mean - early.mean, error=hypot(early.error, late.error))
