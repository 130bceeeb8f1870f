"""How near off-policy estimates come to what a policy really earned, on two public logs.

    python -m benchmarks.ope --json out.json            1,000 repetitions, some 4 minutes of CPU
    python -m benchmarks.ope --json out.json --quick    15 repetitions, under a minute

Its matrices are small: with OPENBLAS_NUM_THREADS=1 in the environment it is several times faster.

**Hillstrom's mailing** (64,000 customers, drawn evenly for the men's e-mail, the women's, or none;
reward: a visit). Every repetition shuffles the customers and parts them in three: 12,000 to fit a
personalised policy on, 12,000 to make a biased log from, 40,000 for the truth. The log keeps a
customer with chance b(arm | customer) / max b: what is left is a log of the biased policy b with
exactly known propensities. It is used to evaluate "the men's e-mail to all", "the women's to all"
and the fitted policy. The truth is the mean of those of the 40,000 who by chance were sent what the
policy would have sent. It has an error of its own, a third of the estimates', so an interval
counts as covering if it does so once widened by that (root of the sum of squares). Two logs:
`even` has propensities from .15 to .7, `lopsided` from .03 to .94.

**Open Bandit, small** (ZOZOTOWN, men's and women's campaign, 10,000 impressions under each of two
policies, 46 to 69 clicks each). Random log → value of Bernoulli Thompson sampling (BTS) and the
reverse, against the other log's mean click rate; "both" is the two campaigns' logs as one. Random
is known exactly. BTS drifts while it learns and only the probability of the item served is logged:
its probabilities are **estimated**, as the share of BTS's impressions an item had in a position
over the week. Repetitions resample the log's rows. With 46 clicks the truth alone is uncertain by
15 %, so the table also shows the error against the mean of the full logs (26 million rows).

The reward model is a ridge-penalised logistic regression on context × arm features, cross-fitted
in three folds. `log mean` takes the log's own mean for the answer and `model only` believes the
model; they have no interval. `own` is how often Switch-DR and DRos would cover with the interval
of their own shrunk scores, in place of DR's.
"""

import csv
import gzip
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import hypot, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from scipy.special import expit

from benchmarks.common import Bar, arguments, finish, terminal
from hookline.stats import (
    OneLook,
    PolicyValue,
    importance_weights,
    model_values,
    off_policy,
    shrunk,
    switched,
)

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MAILS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
LOGS: dict[str, tuple[tuple[float, ...], ...]] = {
    "even": ((0.70, 0.15, 0.15), (0.20, 0.65, 0.15), (0.15, 0.15, 0.70)),
    "lopsided": ((0.94, 0.03, 0.03), (0.03, 0.94, 0.03), (0.05, 0.03, 0.92)),
}
"""Log → probabilities of the three mails for who bought either, men's only, women's only."""
FITTED, LOGGED = 12_000, 12_000
"""Customers the personalised policy is fitted on, and customers a log is made from."""

CAMPAIGNS = ("men", "women")
FULL = {"random": {"men": 0.0051, "women": 0.0048}, "bts": {"men": 0.0067, "women": 0.0064}}
"""Mean click rates of the full logs: Saito et al. (2020, arXiv 2008.07146), table 1."""

RIDGE = 10.0
"""Prior precision of every coefficient: a log odds ratio is expected to be some .3."""
FOLDS, STEPS = 3, 7
RESAMPLES = 500
ESTIMATORS = ("ips", "snips", "dr", "switch_dr", "dros")
SHOWN = ("log mean", "model only", *ESTIMATORS)
COVER, DROS_ERROR = 0.94, 0.160


@dataclass(frozen=True, kw_only=True)
class Case:
    """A log, the policy to evaluate on it, and what that really earned.

    Attributes:
        rewards: Shape (n,).
        arms: Shape (n,).
        propensities: Shape (n,).
        target: The policy's probabilities, shape (n, K).
        predictions: The reward model's, cross-fitted, shape (n, K).
        truth: On-policy mean reward.
        truth_error: Its standard error.
    """

    rewards: Array
    arms: Integers
    propensities: Array
    target: Array
    predictions: Array
    truth: float
    truth_error: float


@dataclass(frozen=True, kw_only=True)
class Miss:
    """One estimate of one repetition beside the truth.

    Attributes:
        error: Estimate less truth; nan where the estimator refused.
        relative: Absolute error over the truth.
        covered: 1 or 0, the truth's own error allowed for; nan where there is no interval.
        own: The same for the interval of the shrunk scores themselves.
        effective: Effective sample size.
        reason: Why the estimator refused.
    """

    error: float
    relative: float
    covered: float = np.nan
    own: float = np.nan
    effective: float = np.nan
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One estimator of one policy over all repetitions; None where nothing could be computed.

    Attributes:
        relative_error: Mean of |estimate - truth| / truth.
        rmse: Root mean squared error.
        bias: Mean error.
        coverage: Share of the 95 % intervals that cover.
        own_coverage: The same for the interval of the shrunk scores themselves.
        effective: Mean effective sample size.
        refused: Repetitions in which there was no estimate.
        reason: Why, the last time.
        on_the_log: Open Bandit: relative error on the log as it is, not resampled.
        against_full: Open Bandit: the same against the full logs' mean.
        covered: Open Bandit: whether the log's interval covers; None where there is none.
    """

    source: str
    policy: str
    estimator: str
    relative_error: float | None
    rmse: float | None
    bias: float | None
    coverage: float | None
    own_coverage: float | None
    effective: float | None
    refused: int
    reason: str
    on_the_log: float | None = None
    against_full: float | None = None
    covered: bool | None = None


# --- the reward model --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Rewards:
    """Coefficients of a logistic model: constant + context' W arm features + arm's own."""

    constant: float
    crossed: Array
    own: Array

    def predict(self, contexts: Array, arm_features: Array) -> Array:
        """Expected rewards, shape (n, K)."""
        return expit(self.constant + contexts @ self.crossed @ arm_features.T + self.own)


def fit(contexts: Array, arm_features: Array, arms: Integers, rewards: Array) -> Rewards:
    """The model with the greatest penalised likelihood, by Newton's method; constant not penalised.

    Args:
        contexts: Shape (n, c).
        arm_features: Shape (K, f).
        arms: Index of the arm served, shape (n,).
        rewards: 0 or 1, shape (n,).
    """
    n, width, count = len(arms), contexts.shape[1] * arm_features.shape[1], len(arm_features)
    crossed = (contexts[:, :, None] * arm_features[arms][:, None, :]).reshape(n, width)
    inputs: Array = np.column_stack([np.ones(n), crossed, np.eye(count)[arms]])
    penalty = np.full(inputs.shape[1], RIDGE)
    penalty[0] = 1e-6
    rate = np.clip(rewards.mean(), 1e-4, 1 - 1e-4)
    found = np.zeros(inputs.shape[1])
    found[0] = np.log(rate / (1 - rate))
    for _ in range(STEPS):
        found = newton(inputs, rewards, penalty, found)
    matrix = found[1 : 1 + width].reshape(contexts.shape[1], arm_features.shape[1])
    return Rewards(constant=float(found[0]), crossed=matrix, own=found[1 + width :])


def newton(inputs: Array, rewards: Array, penalty: Array, found: Array) -> Array:
    """The coefficients one step on."""
    chance: Array = expit(inputs @ found)
    bend = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + np.diag(penalty)
    return found + np.linalg.solve(bend, inputs.T @ (rewards - chance) - penalty * found)


def cross_fitted(
    contexts: Array, arm_features: Array, arms: Integers, rewards: Array, folds: Integers
) -> Array:
    """Predictions for every row and arm by a model that saw no row of the same fold, (n, K)."""
    predictions = np.zeros((len(arms), len(arm_features)))
    for fold in range(FOLDS):
        own = folds == fold
        model = fit(contexts[~own], arm_features, arms[~own], rewards[~own])
        predictions[own] = model.predict(contexts[own], arm_features)
    return predictions


# --- one case ----------------------------------------------------------------------------------


def misses(case: Case, rng: np.random.Generator) -> dict[str, Miss]:
    """Estimator → how far it was off in this case."""
    _, wanted = model_values(case.arms, case.target, case.predictions)
    found = {
        "log mean": _miss(case, float(case.rewards.mean())),
        "model only": _miss(case, float(wanted.mean())),
    }
    logged = (case.rewards, case.arms, case.propensities, case.target, case.predictions)
    interval = OneLook(rng=rng, resamples=RESAMPLES)
    for name, value in off_policy(*logged, interval=interval).items():
        miss = Miss(error=np.nan, relative=np.nan, reason=value.reason)
        if value.estimate is not None and value.low is not None and value.high is not None:
            reach = (value.estimate - value.low, value.high - value.estimate)
            miss = replace(
                _miss(case, value.estimate),
                covered=_covers(case, value.estimate, reach),
                own=_own(case, name, value),
            )
        found[name] = replace(miss, effective=value.effective)
    return found


def _miss(case: Case, estimate: float) -> Miss:
    return Miss(error=estimate - case.truth, relative=abs(estimate / case.truth - 1))


def _covers(case: Case, estimate: float, reach: tuple[float, float]) -> float:
    """1 if the truth is within reach below and above, its own error allowed for."""
    below, above = (hypot(part, 1.96 * case.truth_error) for part in reach)
    return float(estimate - below <= case.truth <= estimate + above)


def _own(case: Case, name: str, value: PolicyValue) -> float:
    """Whether the softened scores' own interval would cover; nan where nothing is softened."""
    if value.parameter is None or value.estimate is None:
        return np.nan
    weights = importance_weights(case.arms, case.propensities, case.target)
    served, wanted = model_values(case.arms, case.target, case.predictions)
    soft = (switched if name == "switch_dr" else shrunk)(weights, value.parameter)
    scores = wanted + soft * (case.rewards - served)
    reach = 1.96 * float(scores.std(ddof=1)) / sqrt(len(scores))
    return _covers(case, value.estimate, (reach, reach))


def row_of(source: str, policy: str, estimator: str, runs: Sequence[Miss]) -> Row:
    """The repetitions of one estimator as one row."""
    errors = np.array([run.error for run in runs])
    return Row(
        source=source,
        policy=policy,
        estimator=estimator,
        relative_error=_mean([run.relative for run in runs]),
        rmse=None if (square := _mean(errors**2)) is None else sqrt(square),
        bias=_mean(errors),
        coverage=_mean([run.covered for run in runs]),
        own_coverage=_mean([run.own for run in runs]),
        effective=_mean([run.effective for run in runs]),
        refused=int(np.isnan(errors).sum()),
        reason=next((run.reason for run in reversed(runs) if run.reason), ""),
    )


def _mean(values: Sequence[float] | Array) -> float | None:
    """The mean of what is known; None where nothing is."""
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else None


def one_hot(words: Sequence[str]) -> Array:
    """A column for every word but the first in the alphabet."""
    levels = sorted(set(words))[1:]
    return np.array([[word == level for level in levels] for word in words], dtype=np.float64)


# --- Hillstrom ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Customers:
    """The mailing: visits (0/1), index of the mail sent, contexts, and index of what they bought.

    `bought` is 0 for men's and women's things, 1 for men's only, 2 for women's only.
    """

    visits: Array
    mails: Integers
    contexts: Array
    bought: Integers


def hillstrom(path: Path) -> Customers:
    """The customers of the original file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    men, women = (np.array([row[key] == "1" for row in rows]) for key in ("mens", "womens"))
    history = np.array([float(row["history"]) for row in rows])
    return Customers(
        visits=np.array([float(row["visit"]) for row in rows]),
        mails=np.array([MAILS.index(row["segment"]) for row in rows], dtype=np.int64),
        contexts=np.column_stack(
            [
                np.ones(len(rows)),
                np.array([float(row["recency"]) for row in rows]) / 12,
                np.log(history) / 7,
                men,
                women,
                np.array([row["newbie"] == "1" for row in rows]),
                one_hot([row["zip_code"] for row in rows]),
                one_hot([row["channel"] for row in rows]),
            ]
        ),
        bought=np.where(men & ~women, 1, np.where(women & ~men, 2, 0)).astype(np.int64),
    )


def mailing_cases(customers: Customers, log: str, rng: np.random.Generator) -> dict[str, Case]:
    """Policy → its case, for one shuffle of the customers."""
    order = rng.permutation(len(customers.visits))
    first, pool, held = np.split(order, [FITTED, FITTED + LOGGED])
    chances = np.array(LOGS[log])[customers.bought[pool]]
    drawn = chances[np.arange(len(pool)), customers.mails[pool]]
    kept = rng.random(len(pool)) < drawn / max(max(row) for row in LOGS[log])
    rows, propensities = pool[kept], drawn[kept]
    visits, mails, contexts = customers.visits, customers.mails, customers.contexts
    arms = np.eye(len(MAILS))
    folds = rng.permutation(len(rows)) % FOLDS
    predictions = cross_fitted(contexts[rows], arms, mails[rows], visits[rows], folds)
    taste = fit(contexts[first], arms, mails[first], visits[first])
    wishes = {
        "men's to all": np.full(len(order), 1),
        "women's to all": np.full(len(order), 2),
        "personalised": np.argmax(taste.predict(contexts, arms), axis=1),
    }
    cases: dict[str, Case] = {}
    for policy, wish in wishes.items():
        followed = visits[held][mails[held] == wish[held]]
        cases[policy] = Case(
            rewards=visits[rows],
            arms=mails[rows],
            propensities=propensities,
            target=arms[wish[rows]],
            predictions=predictions,
            truth=float(followed.mean()),
            truth_error=float(followed.std(ddof=1)) / sqrt(len(followed)),
        )
    return cases


def mailing_rows(
    customers: Customers, log: str, repetitions: int, seed: int, done: Callable[[], None]
) -> list[Row]:
    """Every policy and estimator on one kind of log."""
    runs: dict[tuple[str, str], list[Miss]] = {}
    for repetition in range(repetitions):
        rng = np.random.default_rng([seed, repetition])
        for policy, case in mailing_cases(customers, log, rng).items():
            for estimator, miss in misses(case, rng).items():
                runs.setdefault((policy, estimator), []).append(miss)
        done()
    return [row_of(f"Hillstrom, {log} log", *key, found) for key, found in runs.items()]


# --- Open Bandit -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Impressions:
    """One campaign under one policy.

    Attributes:
        clicks: 0 or 1, shape (n,).
        items: Index of the item shown, shape (n,).
        places: Position 0 to 2, shape (n,).
        propensities: Shape (n,).
        contexts: Constant, position and the visitor's categories, shape (n, c).
        features: Of the items: a constant and the one number known of each, shape (K, 2).
    """

    clicks: Array
    items: Integers
    places: Integers
    propensities: Array
    contexts: Array
    features: Array


def impressions(folder: Path, policy: str, campaign: str) -> Impressions:
    """The small log of one campaign under one policy."""
    place = folder / policy / campaign
    with gzip.open(place / f"{campaign}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (place / "item_context.csv").open(encoding="utf-8", newline="") as file:
        items = sorted(csv.DictReader(file), key=lambda row: int(row["item_id"]))
    known = np.array([float(item["item_feature_0"]) for item in items])
    columns = ["position", *(f"user_feature_{index}" for index in range(4))]
    return Impressions(
        clicks=np.array([float(row["click"]) for row in rows]),
        items=np.array([int(row["item_id"]) for row in rows], dtype=np.int64),
        places=np.array([int(row["position"]) - 1 for row in rows], dtype=np.int64),
        propensities=np.array([float(row["propensity_score"]) for row in rows]),
        contexts=np.column_stack(
            [np.ones(len(rows)), *(one_hot([row[name] for row in rows]) for name in columns)]
        ),
        features=np.column_stack([np.ones(len(items)), (known - known.mean()) / known.std()]),
    )


def shares(log: Impressions) -> Array:
    """Position → share of its impressions that each item had, shape (3, K)."""
    counts = np.zeros((3, len(log.features)))
    np.add.at(counts, (log.places, log.items), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def bandit_case(source: Impressions, other: Impressions, policy: str, rows: Integers) -> Case:
    """What the log `source`, its rows drawn as given, says of the policy that made `other`.

    A row that was drawn twice is in one fold only, so that the model never sees what it predicts.
    """
    count = len(source.features)
    even = np.full((3, count), 1 / count)
    target = (even if policy == "random" else shares(other))[source.places[rows]]
    folds = rows % FOLDS
    return Case(
        rewards=source.clicks[rows],
        arms=source.items[rows],
        propensities=source.propensities[rows],
        target=target,
        predictions=cross_fitted(
            source.contexts[rows], source.features, source.items[rows], source.clicks[rows], folds
        ),
        truth=float(other.clicks.mean()),
        truth_error=float(other.clicks.std(ddof=1)) / sqrt(len(other.clicks)),
    )


def both(men: Case, women: Case) -> Case:
    """The two campaigns as one log: each has its own arms and half of the traffic."""
    blank = np.zeros((len(men.arms), women.target.shape[1])), np.zeros_like(men.target)
    return Case(
        rewards=np.concatenate([men.rewards, women.rewards]),
        arms=np.concatenate([men.arms, women.arms + men.target.shape[1]]),
        propensities=np.concatenate([men.propensities, women.propensities]),
        target=np.block([[men.target, blank[0]], [blank[1], women.target]]),
        predictions=np.block([[men.predictions, blank[0]], [blank[1], women.predictions]]),
        truth=(men.truth + women.truth) / 2,
        truth_error=hypot(men.truth_error, women.truth_error) / 2,
    )


def bandit_rows(folder: Path, repetitions: int, seed: int, done: Callable[[], None]) -> list[Row]:
    """Every campaign and estimator, in both directions."""
    logs = {
        (policy, campaign): impressions(folder, policy, campaign)
        for policy in FULL
        for campaign in CAMPAIGNS
    }
    rows: list[Row] = []
    for source, policy in (("random", "bts"), ("bts", "random")):
        runs: dict[tuple[str, str], list[Miss]] = {}
        whole: dict[tuple[str, str], tuple[Case, Miss]] = {}
        for repetition in range(repetitions + 1):
            rng = np.random.default_rng([seed, repetition])
            cases: dict[str, Case] = {}
            for campaign in CAMPAIGNS:
                log, n = logs[source, campaign], len(logs[source, campaign].clicks)
                drawn = rng.integers(n, size=n) if repetition else np.arange(n)
                cases[campaign] = bandit_case(log, logs[policy, campaign], policy, drawn)
            cases["both"] = both(cases["men"], cases["women"])
            for campaign, case in cases.items():
                for estimator, miss in misses(case, rng).items():
                    if repetition:
                        runs.setdefault((campaign, estimator), []).append(miss)
                    else:
                        whole[campaign, estimator] = (case, miss)
            done()
        for (campaign, estimator), found in runs.items():
            row = row_of(f"Open Bandit, {source} log", f"{policy}, {campaign}", estimator, found)
            rows.append(_beside_log(row, *whole[campaign, estimator], FULL[policy]))
    return rows


def _beside_log(row: Row, case: Case, miss: Miss, full: Mapping[str, float]) -> Row:
    """The row with what came out on the log itself; resampling says nothing of coverage."""
    campaign = row.policy.rsplit(" ", 1)[1]
    mean = sum(full.values()) / len(full) if campaign == "both" else full[campaign]
    known = not np.isnan(miss.error)
    return replace(
        row,
        coverage=None,
        own_coverage=None,
        on_the_log=miss.relative if known else None,
        against_full=abs((case.truth + miss.error) / mean - 1) if known else None,
        covered=None if np.isnan(miss.covered) else bool(miss.covered),
    )


# --- the run -----------------------------------------------------------------------------------


def bars_of(rows: Sequence[Row]) -> list[Bar]:
    """What is asked: coverage on Hillstrom, DRos's error and any interval on Open Bandit."""
    bars: list[Bar] = []
    for log in LOGS:
        for estimator in ESTIMATORS:
            own = [r for r in rows if r.source.endswith(f"{log} log") and r.estimator == estimator]
            covered = _mean([row.coverage for row in own if row.coverage is not None])
            if covered is not None:
                name = f"{log} log: coverage of {estimator}"
                target = f">= {COVER}"
                bars.append(Bar(name=name, value=covered, target=target, holds=covered >= COVER))
    for row in rows:
        if row.estimator == "dros" and row.policy.startswith("bts") and row.on_the_log is not None:
            name, error = f"random log: DRos's error for {row.policy}", row.on_the_log
            target = f"<= {DROS_ERROR:.3f}"
            bars.append(Bar(name=name, value=error, target=target, holds=error <= DROS_ERROR))
    asked = [row.covered for row in rows if row.covered is not None]
    if asked:
        share = sum(asked) / len(asked)
        name = f"Open Bandit: share of {len(asked)} intervals that cover"
        bars.append(Bar(name=name, value=share, target="= 1", holds=share == 1))
    return bars


def show(console: Console, rows: Sequence[Row]) -> None:
    """Prints a table for each log and policy."""
    for source, policy in dict.fromkeys((row.source, row.policy) for row in rows):
        own = [row for row in rows if (row.source, row.policy) == (source, policy)]
        bandit = own[0].against_full is not None
        last = ("on the log", "vs full logs", "covers") if bandit else ("coverage", "own")
        grid = Table("estimator", "relative error", "RMSE", "bias", "effective", *last)
        grid.title = f"{source} → {policy}"
        for row in own:
            ends = (
                (row.on_the_log, row.against_full) if bandit else (row.coverage, row.own_coverage)
            )
            cells = [_cell(row.relative_error, ".3f"), _cell(row.rmse, ".5f")]
            cells += [_cell(row.bias, "+.5f"), _cell(row.effective, ",.0f")]
            cells += [_cell(value, ".3f") for value in ends]
            if bandit:
                cells.append({True: "yes", False: "no", None: "-"}[row.covered])
            grid.add_row(row.estimator, *cells)
        console.print(grid)
        for row in own:
            if row.refused:
                console.print(f"{row.estimator}: no answer {row.refused} times: {row.reason}")


def _cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs what the data at hand allow and writes the rows as JSON."""
    parser = arguments("benchmarks.ope", "Hold off-policy estimates against on-policy truth.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="data folder")
    parser.add_argument(
        "--repetitions",
        type=int,
        help="of Hillstrom; a 20th of Open Bandit (1,000, quick 15)",
    )
    args = parser.parse_args(argv)
    repetitions = args.repetitions or (15 if args.quick else 1_000)
    resampled = max(repetitions // 20, 2)
    console, rows = terminal(), list[Row]()
    mailing = next((args.data / "hillstrom_email").glob("*.csv.gz"), None)
    bandit = args.data / "obd_small"
    with Progress(console=console) as progress:
        if mailing is None:
            console.print(f"no hillstrom_email/*.csv.gz in {args.data}: Hillstrom is skipped")
        else:
            customers = hillstrom(mailing)
            task = progress.add_task("Hillstrom", total=repetitions * len(LOGS))
            for log in LOGS:
                rows += mailing_rows(
                    customers, log, repetitions, args.seed, lambda t=task: progress.advance(t)
                )
        if not bandit.is_dir():
            console.print(f"no obd_small in {args.data}: Open Bandit is skipped")
        else:
            task = progress.add_task("Open Bandit", total=2 * (resampled + 1))
            rows += bandit_rows(bandit, resampled, args.seed, lambda: progress.advance(task))
    if not rows:
        print("nothing to measure; name the data folder with --data", file=sys.stderr)
        return 2
    show(console, rows)
    result = {
        "quick": args.quick,
        "repetitions": {"Hillstrom": repetitions, "Open Bandit": resampled},
        "rows": [asdict(row) for row in rows],
    }
    return finish(console, bars_of(rows), out=args.json, seed=args.seed, result=result)


if __name__ == "__main__":
    sys.exit(main())
