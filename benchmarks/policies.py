"""How much each policy earns in a simulated shop whose law is none of the policies' own.

    python -m benchmarks.policies --json out.json            all settings, 24 seeds
    python -m benchmarks.policies --json out.json --quick    3,000 visits, 4 seeds

The shop: visitors have a hidden taste type; their audience tells it only in part, and one of their
traits hints at it half the time. A type likes attribute levels more or less (multiplicatively),
every copy has a quirk of its own (log-normal, sd .22: what real headline tests show), and chances
pass through 1 - exp(-rate). Where tastes are shared all types are alike. 10 % of visitors are held
out, 10 % get every arm equally often, and outcomes are learned in batches of 100, 200 visits late.

Every policy meets the same visitors with the same luck, so differences are paired by seed. What is
compared are the chances of the copies served, not the clicks they happened to bring: the same
expectation, less noise. Intervals are 95 % t intervals over seeds. The bars asked of
`actor_critic`: above `thompson`, `ucb` and every peer where tastes differ, within 1 % of the best
where they don't, and never below `uniform`. Peers run in the same run once `make peers` has
installed them.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid
from scipy.special import stdtrit

from benchmarks.common import Bar, arguments, finish, terminal
from benchmarks.peers import installed
from hookline.policies import POLICIES, Policy, draw, make_policy
from hookline.types import Angle, Arm, Attributes, Context, CtaStyle, Decision, Proof, Tone, Trait

Array = NDArray[np.float64]

AT = datetime(2025, 1, 1, tzinfo=UTC)
AUDIENCES = ("savers", "hikers", "gifters")
REGIONS = ("north", "south", "east", "west")
AUDIENCE_SHARES = (0.4, 0.35, 0.25)
TYPES_OF_AUDIENCE = np.array(
    [[0.7, 0.15, 0.1, 0.05], [0.05, 0.7, 0.2, 0.05], [0.05, 0.1, 0.15, 0.7]]
)
LEVELS: dict[str, tuple[str, ...]] = {
    "angle": get_args(Angle)[:6],
    "tone": get_args(Tone)[:4],
    "cta": get_args(CtaStyle)[:4],
    "proof": get_args(Proof),
    "urgency": ("none", "soft"),
    "length": ("short", "full"),
}
LINES = ("Pack light", "Need more room?", "Your bag, your way", "Built to last", "9 pockets!", "Go")
OURS: dict[str, tuple[str, dict[str, float]]] = {
    **{name: (name, {}) for name in POLICIES},
    "actor_critic, caution 1": ("actor_critic", {"caution": 1.0}),
    "ucb, width 0.2": ("ucb", {"width": 0.2}),
}
"""Label → policy and parameters: all policies as they come, and two turned up or down."""
RIVALS = frozenset({"explore_then_commit", "thompson", "ucb", *installed()})
"""Whom `actor_critic` is measured against."""
HELD_OUT, UNIFORM = 0.1, 0.1
BATCH, DELAY = 100, 200


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One question: do tastes differ, how many visits, and is it clicks or money that counts?"""

    name: str
    visits: int
    tastes_differ: bool = True
    money: bool = False


SETTINGS = (
    Setting(name="tastes differ, 3,000 visits", visits=3_000),
    Setting(name="tastes shared, 3,000 visits", visits=3_000, tastes_differ=False),
    Setting(name="tastes differ, 10,000 visits", visits=10_000),
    Setting(name="tastes shared, 10,000 visits", visits=10_000, tastes_differ=False),
    Setting(name="money, tastes differ, 10,000 visits", visits=10_000, money=True),
)
QUICK = SETTINGS[:2]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Arms, and the chance of a click for each taste type and arm, shape (types, arms)."""

    arms: list[Arm]
    chances: Array
    tastes_differ: bool


@dataclass(frozen=True, kw_only=True)
class Visits:
    """The visitors of one run, with everything random about them fixed beforehand."""

    contexts: list[Context]
    audiences: list[str]
    types: NDArray[np.int64]
    rewards: Array
    slices: Array
    places: Array


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one policy did: mean chance served, and milliseconds a decision and an outcome took."""

    value: float
    decide_ms: float
    learn_ms: float


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over seeds with its 95 % interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Row:
    """One policy in one setting; the intervals are relative (.1 is +10 %)."""

    over_uniform: Interval
    over_control: Interval
    actor_critic_over_it: Interval
    decide_ms: float
    learn_ms: float


@dataclass(frozen=True, kw_only=True)
class Table:
    """One setting's answer."""

    setting: Setting
    seeds: int
    policies: dict[str, Row]


def make_shop(seed: int, setting: Setting) -> Shop:
    """A shop of seven arms: the control and six challengers with random attributes."""
    rng = np.random.default_rng([seed, 1])
    names = list(LEVELS)
    picks = [{name: str(rng.choice(LEVELS[name])) for name in names} for _ in LINES]
    shared_sd, own_sd = (0.05, 0.3) if setting.tastes_differ else (0.08, 0.0)
    liking = np.zeros((4, len(LINES) + 1))
    for name in names:
        levels = LEVELS[name]
        tastes = rng.normal(0, shared_sd, len(levels)) + rng.normal(0, own_sd, (4, len(levels)))
        for arm, pick in enumerate(picks, start=1):
            liking[:, arm] += tastes[:, levels.index(pick[name])]
    liking[:, 1:] += rng.normal(0, 0.22, len(LINES))
    if setting.tastes_differ:
        liking += rng.normal(0, 0.2, (4, 1))
    base = rng.uniform(0.06, 0.12)
    return Shop(
        arms=[_arm(seed, index, pick) for index, pick in enumerate([None, *picks])],
        chances=1 - np.exp(-base * np.exp(np.clip(liking, -2, 1.5))),
        tastes_differ=setting.tastes_differ,
    )


def _arm(seed: int, index: int, pick: dict[str, str] | None) -> Arm:
    if pick is None:
        return Arm(id="control", text="Our backpack. See it.", parts={}, control=True)
    text = LINES[index - 1]
    attributes = Attributes(**pick)  # pyright: ignore[reportArgumentType] - drawn from LEVELS
    return Arm(id=f"copy-{seed}-{index}", text=text, parts={}, attributes=attributes)


def make_visits(seed: int, shop: Shop, setting: Setting) -> Visits:
    """The visitors of one run; the same for every policy."""
    rng = np.random.default_rng([seed, 2])
    count, arms = setting.visits, len(shop.arms)
    audiences = rng.choice(len(AUDIENCES), count, p=AUDIENCE_SHARES)
    mixed = TYPES_OF_AUDIENCE if shop.tastes_differ else np.full((3, 4), 0.25)
    types = (rng.random((count, 1)) > np.cumsum(mixed, axis=1)[audiences]).sum(axis=1)
    types = np.minimum(types, 3)
    hinted = np.where(rng.random(count) < 0.5, types, rng.integers(0, 4, count))
    mobile, days = rng.random(count) < 0.6, rng.exponential(30, count)
    contexts = [
        _context(index, REGIONS[int(hinted[index])], float(days[index]), mobile=bool(mobile[index]))
        for index in range(count)
    ]
    clicked = rng.random((count, arms)) < shop.chances[types]
    spent = rng.lognormal(3.0, 0.8, (count, 1)) * (rng.random((count, 1)) < 0.4)
    return Visits(
        contexts=contexts,
        audiences=[AUDIENCES[audience] for audience in audiences],
        types=types,
        rewards=np.where(clicked, spent if setting.money else 1.0, 0.0).astype(np.float64),
        slices=rng.random(count),
        places=rng.random(count),
    )


def _context(index: int, region: str, days: float, *, mobile: bool) -> Context:
    traits: dict[str, Trait] = {"region": region, "days_since_visit": days}
    device = "mobile" if mobile else "desktop"
    return Context(visitor_id=f"visitor{index}", at=AT, traits=traits, device=device)


def play(policy: Policy, shop: Shop, visits: Visits) -> Run:
    """One run: decide every visit, learn in late batches."""
    count = len(visits.contexts)
    served: list[tuple[Decision, float]] = []
    value = deciding = learning = 0.0
    learned = 0
    for index in range(count):
        started = time.perf_counter()
        chosen, decision = decide(policy, shop.arms, visits, index)
        deciding += time.perf_counter() - started
        value += float(shop.chances[visits.types[index], chosen])
        served.append((decision, float(visits.rewards[index, chosen])))
        if (index + 1) % BATCH == 0:
            started = time.perf_counter()
            for past, reward in served[learned : max(learned, index + 1 - DELAY)]:
                policy.learn(past, shop.arms, reward)
            learned = max(learned, index + 1 - DELAY)
            learning += time.perf_counter() - started
    each = 1000 / count
    return Run(value=value / count, decide_ms=deciding * each, learn_ms=learning * each)


def decide(policy: Policy, arms: list[Arm], visits: Visits, index: int) -> tuple[int, Decision]:
    """The arm served and its decision, sliced as `experiment.decide` does it."""
    context, audience = visits.contexts[index], visits.audiences[index]
    shares = policy.probabilities(context, audience, arms)
    held_out = np.array([float(arm.control) for arm in arms])
    even = np.full(len(arms), 1 / len(arms))
    slice_, place = visits.slices[index], float(visits.places[index])
    if slice_ < HELD_OUT:
        chosen = draw(held_out, place)
    else:
        chosen = draw(even if slice_ < HELD_OUT + UNIFORM else shares, place)
    marginal = HELD_OUT * held_out + UNIFORM * even + (1 - HELD_OUT - UNIFORM) * shares
    return chosen, Decision(
        id=context.visitor_id,
        experiment_id="benchmark",
        arm_id=arms[chosen].id,
        propensity=float(marginal[chosen]),
        probabilities={arm.id: float(p) for arm, p in zip(arms, marginal, strict=True)},
        slice="policy",
        reason="policy",
        context=context,
        audience_id=audience,
        policy=policy.name,
    )


def interval(values: Array) -> Interval:
    """Mean and 95 % t interval over seeds."""
    reach = float(stdtrit(values.size - 1, 0.975) * values.std(ddof=1) / np.sqrt(values.size))
    mean = float(values.mean())
    return Interval(estimate=mean, low=mean - reach, high=mean + reach)


def contenders() -> dict[str, Callable[[], Policy]]:
    """Label → what builds the policy: ours, and the peers that are installed."""
    ours = {label: partial(make_policy, name, params) for label, (name, params) in OURS.items()}
    return {**ours, **installed()}


def compare(setting: Setting, seeds: range, done: Callable[[], None]) -> Table:
    """One setting's table: every policy against uniform, control and actor_critic."""
    makers = contenders()
    runs: dict[str, list[Run]] = {label: [] for label in makers}
    controls: list[float] = []
    for seed in seeds:
        shop = make_shop(seed, setting)
        visits = make_visits(seed, shop, setting)
        controls.append(float(shop.chances[visits.types, 0].mean()))
        for label, make in makers.items():
            runs[label].append(play(make(), shop, visits))
            done()
    values = {label: np.array([run.value for run in played]) for label, played in runs.items()}
    actor = values["actor_critic"]
    rows = {
        label: Row(
            over_uniform=interval(value / values["uniform"] - 1),
            over_control=interval(value / np.array(controls) - 1),
            actor_critic_over_it=interval(actor / value - 1),
            decide_ms=float(np.mean([run.decide_ms for run in runs[label]])),
            learn_ms=float(np.mean([run.learn_ms for run in runs[label]])),
        )
        for label, value in values.items()
    }
    return Table(setting=setting, seeds=len(seeds), policies=rows)


def bars_of(table: Table) -> list[Bar]:
    """What is asked of `actor_critic` in this setting."""
    name, rows = table.setting.name, table.policies
    lead = rows["uniform"].actor_critic_over_it
    bars = [Bar(name=f"{name}: over uniform", value=lead.low, target="low > 0", holds=lead.low > 0)]
    rivals = {label: row.actor_critic_over_it for label, row in rows.items() if label in RIVALS}
    if table.setting.tastes_differ:
        return bars + [
            Bar(name=f"{name}: over {rival}", value=led.low, target="low > 0", holds=led.low > 0)
            for rival, led in rivals.items()
        ]
    worst = min(led.estimate for led in rivals.values())
    text = f"{name}: against the best rival"
    return [*bars, Bar(name=text, value=worst, target=">= -0.01", holds=worst >= -0.01)]


def show(console: Console, table: Table) -> None:
    """Prints one setting's table."""
    grid = Grid("policy", "clicks over uniform", "actor_critic over it", "decide ms", "learn ms")
    for label, row in table.policies.items():
        gain, lead = percent(row.over_uniform), percent(row.actor_critic_over_it)
        grid.add_row(label, gain, lead, f"{row.decide_ms:.3f}", f"{row.learn_ms:.3f}")
    grid.title = f"{table.setting.name}, {table.seeds} seeds"
    console.print(grid)


def percent(value: Interval) -> str:
    """An interval in percent."""
    return f"{value.estimate:+.1%} ({value.low:+.1%} to {value.high:+.1%})"


def main() -> int:
    """Runs the settings and writes their tables as JSON."""
    args = arguments(
        "benchmarks.policies", "Compare the policies in a simulated shop."
    ).parse_args()
    settings = QUICK if args.quick else SETTINGS
    first = 100 + args.seed
    seeds = range(first, first + (4 if args.quick else 24))
    console, tables = terminal(), list[Table]()
    if not installed():
        console.print("no peers here; `make peers` installs them")
    with Progress(console=console) as bars:
        task = bars.add_task("policies", total=len(settings) * len(seeds) * len(contenders()))
        for setting in settings:
            tables.append(compare(setting, seeds, lambda: bars.advance(task)))
            show(console, tables[-1])
    checked = [bar for table in tables for bar in bars_of(table)]
    result = {"quick": args.quick, "tables": [asdict(table) for table in tables]}
    return finish(console, checked, out=args.json, seed=args.seed, result=result)


if __name__ == "__main__":
    sys.exit(main())
