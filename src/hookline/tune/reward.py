"""What copy will sell, learned from tests: an ensemble for the writer, another one to watch it.

    tests → strata's lines, each against its stratum (`lessons_of`)
          → fit  → RewardModel: many ridge regressions, that disagree where nothing was seen
          → split → RewardModel of some products, for the writer
                  → HeldOut of the others, that tells means of batches and nothing of one copy

A copy is read by what its words mean (an encoder), by the creative attributes that a reader would
recognise, also by audience, by how it looks, and by its words. The product's own words and all
numbers are left out: what sells a mug is not that it is called Hearth.

**Ensemble.** With precision W of each line and β ~ N(0, τ²) beforehand, member m has

    β_m = argmin ‖y − Xβ‖²_{W∘b_m} + ‖β − β⁰_m‖² / τ²

b_m are weights of whole products, exponential with mean 1 (Bayesian bootstrap, Rubin 1981,
https://projecteuclid.org/euclid.aos/1176345338), and β⁰_m ~ N(0, τ²) is what the member believes
where it has seen nothing (Osband et al. 2018, https://arxiv.org/abs/1806.03335). A bootstrap alone
gives words that it never met a weight of 0 in every member: their sd would be 0, and a writer would
find them. Members come in pairs ±β⁰, so that what was not seen moves the sd and not the mean, and
words in no lesson have slots of their own, which nothing is learned of. τ is such that text may
explain beforehand as much as all that lines differ by, `strata.SPREAD`: a τ chosen by the evidence
of a few tests comes out smaller, and promises too much.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import hypot, sqrt
from typing import Final, Self

import numpy as np
import regex
from scipy.sparse import csr_array, diags_array, hstack
from scipy.sparse.linalg import lsqr

from hookline.brief import make_brief
from hookline.channels import channel as channel_named
from hookline.errors import BadInput, Refused
from hookline.perceive.copy import style_features
from hookline.perceive.encoders import Encoder
from hookline.perceive.hashing import hashes, placed
from hookline.recognise import recognise
from hookline.tune.export import held_out_at
from hookline.tune.logged import LoggedTest, Terms
from hookline.tune.objectives import (
    Candidate,
    FloatArray,
    IntArray,
    Reading,
    check_finite,
    groups_of,
)
from hookline.tune.strata import SPREAD, Findings, Stratum, study
from hookline.types import ATTRIBUTE_LEVELS, Arm, Attributes, Product
from hookline.words import fold

MEMBERS: Final = 24
"""Models of an ensemble, an even number."""
HELD_OUT: Final = 0.4
"""Share of products that the watching model is fitted on."""
LEAST_PRODUCTS: Final = 2
"""Fewest products that a model is fitted on when tests are split."""
LEAST_BATCH: Final = 8
"""Fewest candidates whose mean the held-out model tells."""
_CROSSES, _WORDS, _PAIRS, _NEW = 128, 2**16, 2**17, 64
"""Slots, powers of two, of audiences' attributes, of words, of pairs of neighbouring words, and of
words in no lesson. Where unlike words share slots, as in 512, most of what words tell is lost."""
_SHARES: Final = {
    "meaning": 0.7,
    "attributes": 2.0,
    "audience": 2.0,
    "style": 0.3,
    "words": 1.0,
    "pairs": 0.7,
    "new": 2.8,
}
"""Lengths of the blocks of features: how much of the effect each may carry."""
_TOKEN: Final = regex.compile(r"\p{L}[\p{L}\p{M}']*|[\p{Han}\p{Hiragana}\p{Katakana}]|[$€£¥%!?]")
_STYLES: Final = ("length", "digits", "asks", "exclaims", "you", "imperative")
_EXACT: Final = 1e-6
"""Tolerances of the solver."""
_MONEY: Final = "{} is about money, and how sure its values are is not known; use clicks or orders"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lesson:
    """How one line did in one stratum, against the others there.

    Attributes:
        candidate: The line, with the product, channel and audience it was shown for.
        gain: Log of its rate over the stratum's mean rate.
        precision: 1 / variance of that, what no model of text can tell included.
        stratum: Id of the stratum.
        product_id: What it sells; the id that its variants share where it has some.
    """

    candidate: Candidate
    gain: float
    precision: float
    stratum: str
    product_id: str


def lessons_of(tests: Sequence[LoggedTest], terms: Terms | None = None) -> tuple[Lesson, ...]:
    """What the tests teach of their lines, machines' clicks left out.

    Args:
        tests: Each once.
        terms: When evidence is enough; the defaults if None.

    Raises:
        BadInput: Where a test is about money.
        Refused: Where no stratum has two lines to compare; says why of each test.
    """
    found: list[Lesson] = []
    reasons: list[str] = []
    for logged in tests:
        findings = study(logged, terms or Terms())
        own = lessons_in(logged, findings)
        if not own:
            why = findings.reason or "no stratum has two lines with enough visitors"
            reasons.append(f"{logged.experiment.id}: {why}")
        found += own
    if not found:
        said = "; ".join(reasons) or "no test was named"
        raise Refused(f"there is nothing to learn a reward from. {said}")
    return tuple(found)


def lessons_in(logged: LoggedTest, findings: Findings) -> list[Lesson]:
    """What one test teaches: a lesson for each line of each stratum that has two or more.

    With v a line's value, v̄ the mean of the stratum's lines and n the line's effective visitors,

        gain = ln((v n + ½) / (v̄ n + ½)),   precision = 1 / (m σ² + 1 / (v̄ n)).

    σ is `strata.SPREAD`: what is left of lines' differences when noise is gone, of which words tell
    little. It is one line's own luck however many strata m show it, so strata share it out.

    Raises:
        BadInput: Where the test is about money.
    """
    experiment = logged.experiment
    if experiment.objective == "revenue":
        raise BadInput(_MONEY.format(experiment.id))
    fit = [stratum for stratum in findings.strata if len(stratum.lines) > 1]
    shown = [line.arm_id for stratum in fit for line in stratum.lines]
    times = {arm_id: shown.count(arm_id) for arm_id in shown}
    arms = {arm.id: arm for arm in experiment.arms}
    return [each for stratum in fit for each in _lessons(logged, stratum, arms, times)]


def _lessons(
    logged: LoggedTest, stratum: Stratum, arms: Mapping[str, Arm], times: Mapping[str, int]
) -> list[Lesson]:
    values = np.array([max(line.value, 0.0) for line in stratum.lines])
    visitors = np.array([line.effective for line in stratum.lines])
    told = visitors * float(np.average(values, weights=visitors))
    if not told.any():
        return []
    gains = np.log((values * visitors + 0.5) / (told + 0.5))
    own = np.array([times[line.arm_id] for line in stratum.lines])
    precisions = 1 / (own * SPREAD**2 + 1 / told)
    product = logged.product
    return [
        Lesson(
            candidate=_candidate(logged, stratum.audience_id, arms[line.arm_id]),
            gain=gain,
            precision=precision,
            stratum=stratum.id,
            product_id=product.group_id or product.id,
        )
        for line, gain, precision in zip(
            stratum.lines, gains.tolist(), precisions.tolist(), strict=True
        )
    ]


def _candidate(logged: LoggedTest, audience_id: str, arm: Arm) -> Candidate:
    brief = make_brief(
        product=logged.product,
        audience=logged.audience(audience_id),
        channel=channel_named(logged.experiment.channel_id),
        brand=logged.brand,
        attributes=arm.attributes or Attributes(),
    )
    return Candidate(brief=brief, parts=arm.parts, group=0)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RewardModel:
    """An ensemble of linear models of a copy's text. Make one with `fit` or `split`.

    Attributes:
        encoder: Reads what words mean.
        weights: β of each member, shape (models, features).
        known: Words of the lessons; others only make the members disagree.
        typical: Features of a typical line, for which every member says 0, shape (features,).
    """

    encoder: Encoder
    weights: FloatArray
    known: frozenset[str]
    typical: FloatArray

    @classmethod
    def fit(
        cls, lessons: Sequence[Lesson], encoder: Encoder, *, seed: int, members: int = MEMBERS
    ) -> Self:
        """The ensemble that these lessons teach.

        Products are what is drawn for each member; where all lessons are of one product, strata
        are, and the ensemble knows nothing of how products differ.

        Args:
            lessons: Of any number of products.
            encoder: Reads what words mean.
            seed: Of all draws.
            members: How many models, even and at least 2.

        Raises:
            BadInput: Where a lesson's figures are no numbers, or `members` is not even.
            Refused: Where there is no lesson, or all strata have one line alone.
        """
        if members < 2 or members % 2:
            raise BadInput(f"an ensemble has an even number of members from 2, not {members}")
        if not lessons:
            raise Refused("there is nothing to learn a reward from: no line was compared")
        gains = np.array([each.gain for each in lessons])
        precisions = np.array([each.precision for each in lessons])
        check_finite("the lessons", np.concatenate([gains, precisions]))
        strata = _numbers([each.stratum for each in lessons])
        if np.bincount(strata).max() < 2:
            raise Refused("no stratum has two lines, so there is nothing to compare; test more")
        products = _numbers([each.product_id for each in lessons])
        clusters = products if products.any() else strata
        copies = [each.candidate for each in lessons]
        known = frozenset(word for each in copies for word in _bare(each))
        features = read(copies, encoder, known)
        within = _within(precisions, strata)
        return cls(
            encoder=encoder,
            known=known,
            weights=_ensemble(
                within @ features,
                within @ gains,
                precisions,
                clusters,
                np.random.default_rng(seed),
                members,
            ),
            typical=features.T @ precisions / precisions.sum(),
        )

    def predict(self, candidates: Sequence[Candidate], /) -> FloatArray:
        """Log of each copy's rate over a typical line's, shape (models, candidates)."""
        features = read(candidates, self.encoder, self.known)
        return (features @ self.weights.T - self.typical @ self.weights.T).T


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A reward model of other products, to watch the first one with. Made by `split`.

    It is no `Forecaster`: it says what a batch comes to on average and nothing of one copy, so no
    objective can be made of it. What is optimised is no measure of itself.
    """

    _model: RewardModel

    def reading(self, candidates: Sequence[Candidate]) -> Reading:
        """Mean log rate over a typical line's, and its standard error.

        Raises:
            BadInput: Where there are fewer than `LEAST_BATCH` candidates.
        """
        if len(candidates) < LEAST_BATCH:
            raise BadInput(
                f"the held-out model judges batches of {LEAST_BATCH} or more, not {len(candidates)}"
            )
        values = self._model.predict(candidates).mean(axis=0)
        return Reading.of(values, groups_of(candidates))

    def lift(self, candidates: Sequence[Candidate], base: Sequence[Candidate]) -> Reading:
        """Log of the candidates' rate over that of other ones for the same briefs, say the base's.

        Means are compared group by group, so that what sells one product better than another is no
        error. The error is that of the draw of briefs and of the model: members' sd of the
        difference.

        Args:
            candidates: Copy for at least `LEAST_BATCH` briefs.
            base: Likewise, with the same group's number for the same brief; briefs that one of the
                two has no copy for are left out.

        Raises:
            BadInput: Where fewer briefs have copy of both.
        """
        new, old = self._by_group(candidates), self._by_group(base)
        both = sorted(new.keys() & old.keys())
        if len(both) < LEAST_BATCH:
            raise BadInput(
                f"a lift takes copy of both for {LEAST_BATCH} briefs or more, not {len(both)}"
            )
        apart = np.array([new[group] - old[group] for group in both])
        found = Reading.of(apart.mean(axis=1), np.arange(len(both)))
        return Reading(mean=found.mean, error=hypot(found.error, float(apart.mean(axis=0).std())))

    def _by_group(self, candidates: Sequence[Candidate]) -> dict[int, FloatArray]:
        """A group's number → each member's mean over its copies, (models,)."""
        if not candidates:
            return {}
        values, groups = self._model.predict(candidates), groups_of(candidates)
        return {
            group: values[:, groups == group].mean(axis=1) for group in np.unique(groups).tolist()
        }


def split(
    lessons: Sequence[Lesson],
    encoder: Encoder,
    *,
    seed: int,
    share: float = HELD_OUT,
    members: int = MEMBERS,
) -> tuple[RewardModel, HeldOut]:
    """The model that a writer is tuned by, and the one that watches it, of other products.

    Products are shared out by their ids, see `export.is_held_out`: what is held out there is so
    here too, since the share is larger. Of few products, either side has `LEAST_PRODUCTS` even
    where their ids would give it fewer.

    Args:
        lessons: Of twice `LEAST_PRODUCTS` products or more.
        encoder: Reads what words mean.
        seed: Of all draws.
        share: Of products to hold out, above 0 and below 1.
        members: How many models each.

    Raises:
        BadInput: Where `share` is out of its range.
        Refused: Where there are too few products; says how many there are.
    """
    if not 0 < share < 1:
        raise BadInput(f"the share held out lies above 0 and below 1, not {share}")
    products = sorted({each.product_id for each in lessons}, key=held_out_at)
    if len(products) < 2 * LEAST_PRODUCTS:
        raise Refused(
            f"tests of {len(products)} products are too few; a reward takes at least "
            f"{LEAST_PRODUCTS} to learn from and {LEAST_PRODUCTS} others to watch with. Name more "
            "experiments."
        )
    count = sum(held_out_at(each) < share for each in products)
    aside = set(products[: min(max(count, LEAST_PRODUCTS), len(products) - LEAST_PRODUCTS)])
    kept = [each for each in lessons if each.product_id in aside]
    taught = [each for each in lessons if each.product_id not in aside]
    model = RewardModel.fit(taught, encoder, seed=seed, members=members)
    return model, HeldOut(RewardModel.fit(kept, encoder, seed=seed + 1, members=members))


def read(candidates: Sequence[Candidate], encoder: Encoder, known: Collection[str]) -> csr_array:
    """What the models see of each copy, shape (candidates, features), most of it 0.

    Args:
        candidates: Copies.
        encoder: Reads what words mean.
        known: Words that lessons have; all others get features of their own.
    """
    texts = [_bare(each) for each in candidates]
    attributes = [
        recognise(
            each.parts,
            channel=each.brief.channel,
            product=each.brief.product,
            locale=each.brief.locale,
        )
        for each in candidates
    ]
    levels = [[f"{name}={getattr(each, name)}" for name in ATTRIBUTE_LEVELS] for each in attributes]
    crosses = [
        [f"{each.brief.audience.id}/{level}" for level in own]
        for each, own in zip(candidates, levels, strict=True)
    ]
    blocks = {
        "meaning": encoder.encode([" ".join(words) for words in texts]).astype(np.float64),
        "attributes": _one_hot(levels),
        "audience": _hashed(crosses, _CROSSES),
        "style": _styles(candidates),
        "words": _hashed(texts, _WORDS),
        "pairs": _hashed([_pairs(words) for words in texts], _PAIRS),
        "new": _new(texts, known),
    }
    return hstack([_SHARES[name] * csr_array(block) for name, block in blocks.items()]).tocsr()


def _bare(candidate: Candidate) -> list[str]:
    """The copy's words and signs, folded, without numbers and the product's own words."""
    own = _own_words(candidate.brief.product)
    return [word for word in _TOKEN.findall(fold(candidate.text)) if word not in own]


def _own_words(product: Product) -> frozenset[str]:
    facts = tuple(product.facts.values())
    return _words_of(product.title, product.brand, product.category, *facts)


@lru_cache(maxsize=4096)
def _words_of(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in _TOKEN.findall(fold(text)) if len(word) > 2)


def _pairs(words: Sequence[str]) -> list[str]:
    return [f"{one} {other}" for one, other in pairwise(words)]


def _one_hot(levels: Sequence[Sequence[str]]) -> FloatArray:
    """1 / √6 at each attribute's level, shape (copies, levels)."""
    known = {f"{name}={level}" for name, options in ATTRIBUTE_LEVELS.items() for level in options}
    places = {name: place for place, name in enumerate(sorted(known))}
    found = np.zeros((len(levels), len(places)))
    for row, own in enumerate(levels):
        found[row, [places[name] for name in own]] = 1 / sqrt(len(own))
    return found


def _hashed(names: Sequence[Sequence[str]], slots: int) -> csr_array:
    """±1 / √n at the slot of each of a copy's n names, shape (copies, slots)."""
    counts = np.array([len(own) for own in names], dtype=np.int64)
    places, signs = placed(hashes([name for own in names for name in own]), (0, slots))
    rows = np.repeat(np.arange(len(names)), counts)
    sizes = signs / np.sqrt(np.repeat(counts, counts))
    return csr_array((sizes, (rows, places)), shape=(len(names), slots))


def _new(texts: Sequence[Sequence[str]], known: Collection[str]) -> csr_array:
    """±1 / √n at the slot of each of a copy's n words that is not known, shape (copies, slots)."""
    found = _hashed([[word for word in words if word not in known] for words in texts], _NEW)
    shares = [sum(word not in known for word in words) / max(len(words), 1) for words in texts]
    return csr_array(diags_array(np.sqrt(shares)) @ found)


def _styles(candidates: Sequence[Candidate]) -> FloatArray:
    seen = [style_features(each.text) for each in candidates]
    found = [[each.get(name, 0.0) for name in _STYLES] for each in seen]
    return np.array(found, dtype=np.float64).reshape(-1, len(_STYLES)) / sqrt(len(_STYLES))


def _within(weights: FloatArray, strata: IntArray) -> csr_array:
    """Takes the weighted mean of its stratum from each row: a stratum's level teaches nothing."""
    rows = np.arange(len(strata))
    member = csr_array((np.ones(len(strata)), (rows, strata)))
    means = diags_array(1 / np.bincount(strata, weights=weights)) @ member.T @ diags_array(weights)
    return (diags_array(np.ones(len(strata))) - member @ means).tocsr()


def _ensemble(
    rows: csr_array,
    targets: FloatArray,
    precisions: FloatArray,
    clusters: IntArray,
    rng: np.random.Generator,
    members: int,
) -> FloatArray:
    """β of each member, shape (members, features), see the head of this file."""
    size = float(np.average((rows**2).sum(axis=1), weights=precisions))
    scale = SPREAD / sqrt(size) if size else 1.0
    count, width = int(clusters.max()) + 1, int(rows.shape[1])
    found: list[FloatArray] = []
    for _ in range(members // 2):
        drawn = scale * rng.standard_normal(width)
        for anchor in (drawn, -drawn):
            votes = rng.exponential(size=count)[clusters] if count > 1 else np.ones(len(targets))
            left = targets - rows @ anchor
            found.append(anchor + _ridge(rows, left, precisions * votes, scale))
    return np.array(found)


def _ridge(rows: csr_array, targets: FloatArray, weights: FloatArray, scale: float) -> FloatArray:
    """β = argmin Σ w (y − xβ)² + ‖β‖² / scale², by LSQR (Paige and Saunders 1982)."""
    roots = np.sqrt(weights)
    found = lsqr(
        diags_array(roots) @ rows, roots * targets, damp=1 / scale, atol=_EXACT, btol=_EXACT
    )
    return np.asarray(found[0], dtype=np.float64)


def _numbers(names: Sequence[str]) -> IntArray:
    """A number for each name, from 0 on, shape (names,)."""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
