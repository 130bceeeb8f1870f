"""What a back-test says in words: names of policies, figures, and the verdict of each budget.

Every word here turns on the interval, not on the point: "more" and "fewer" only where it leaves
zero out, else "no difference is proven".
"""

from collections.abc import Mapping, Sequence
from math import isfinite

from hookline.backtest.result import (
    BacktestResult,
    Calibration,
    Comparison,
    Interval,
    PolicyResult,
    PriorResult,
)

NAMES: Mapping[str, str] = {
    "hookline": "Hookline",
    "hookline_external": "Hookline + your predictions",
    "lola": "LOLA",
    "lola_external": "LOLA + your predictions",
    "ucb": "UCB",
    "thompson": "Thompson",
    "thompson_flat": "Thompson, flat prior",
    "explore_then_commit": "Test 20 %, then ship",
    "explore_then_commit_tuned": "Test, then ship (best share)",
    "prior_only": "Text prior alone",
    "uniform": "Equal shares",
    "oracle": "Always the best line",
}
"""Policy → name in print; one that is not here goes by its own."""

EXPLAINED: Mapping[str, str] = {
    "hookline": "starts from the text prior, corrects it with every click, and plans for the "
    "traffic that is left",
    "hookline_external": "the same, with your predicted_ctr as one more prior",
    "lola": "from the paper of Ye, Yoganarasimhan and Zheng (Marketing Science, 2025), started "
    "from our text prior",
    "lola_external": "the same, started from your predicted_ctr",
    "ucb": "shows the line whose rate could be highest by its own clicks; no prior",
    "thompson": "shows each line as often as it is likely to be the best; told only what click "
    "rates are usual",
    "thompson_flat": "the same, told nothing before",
    "explore_then_commit": "the usual A/B test: equal shares for 20 % of the traffic, then the "
    "line that leads gets the rest",
    "explore_then_commit_tuned": "the same, with the share of testing that earns most on these "
    "very tests: chosen with hindsight",
    "prior_only": "shows the text prior's first choice to everybody, and never learns",
    "uniform": "shows all lines equally often to the end: what the others are measured against",
    "oracle": "knows the rates that clicks are drawn from: a ceiling that nobody can reach",
}
"""Policy → what it does, in one line."""

REFERENCES = ("uniform", "oracle")
"""Policies nobody competes with: the floor and the ceiling."""

_EXTERNAL = "_external"
_IN_A_SENTENCE = {
    "uniform": "equal shares",
    "explore_then_commit": "test-then-ship",
    "explore_then_commit_tuned": "test-then-ship at its best share",
    "prior_only": "the text prior alone",
    "lola_external": "LOLA with the same predictions",
}
_RIVALS = {
    "hookline": ("uniform", "explore_then_commit", "lola"),
    "hookline_external": ("uniform", "explore_then_commit", "lola_external"),
}


def name_of(policy: str) -> str:
    """The policy's name in print."""
    return NAMES.get(policy, policy)


def verdicts(result: BacktestResult, budget: int) -> tuple[str, ...]:
    """What Hookline would have earned at a budget, and with external predictions: a sentence each.

    Whoever is proven to earn more than Hookline is always named, but for those who are told more.

    Args:
        result: The back-test.
        budget: Impressions per line, one of `result.budgets`.
    """
    policies = result.budgets[budget]
    opening = f"With {counted(budget, 'impression')} per line"
    return tuple(
        _sentence(
            opening, name_of(subject), compared(policies[subject], _rivals(subject, policies))
        )
        for subject in _RIVALS
        if subject in policies
    )


def compared(policy: PolicyResult, rivals: Sequence[str]) -> dict[str, Comparison]:
    """Rival → comparison, for those of the rivals that the policy was compared with."""
    known = {
        **policy.versus,
        "uniform": Comparison(lift=policy.uplift_vs_uniform, ci=policy.ci),
    }
    return {rival: known[rival] for rival in rivals if rival in known}


def leaders(result: BacktestResult) -> dict[int, str]:
    """Budget → the policy with the highest uplift, the oracle aside; none where none is known."""
    best: dict[int, str] = {}
    for budget, policies in result.budgets.items():
        uplifts = {
            name: policy.uplift_vs_uniform
            for name, policy in policies.items()
            if name != "oracle" and isfinite(policy.uplift_vs_uniform)
        }
        if uplifts:
            best[budget] = max(uplifts, key=lambda name: uplifts[name])
    return best


def priors(result: BacktestResult) -> list[tuple[str, PriorResult]]:
    """The predictions that were measured, with their names in print."""
    found = [("Text prior", result.prior)]
    if result.prior_external is not None:
        found.append(("Your predictions", result.prior_external))
    return found


def verdict_on_prior(name: str, prior: PriorResult) -> str:
    """How well a prediction picks before any traffic, in one sentence."""
    hits = f"{name}: finds the best line in {share(prior.top1)} of "
    chance = f"{counted(prior.tests, 'test')} (chance: {share(prior.chance)})"
    way = direction(prior.uplift_ci)
    if way == 0:
        gain = f"no gain in clicks over equal shares is proven ({_signed_ends(_gain(prior))})"
    else:
        gain = f"its picks alone get {_clause(_gain(prior), 'equal shares')}"
    return f"{hits}{chance}; {gain}."


def told(calibration: Calibration) -> str:
    """What the policies with a prior were told, in a sentence or two."""
    external = (
        ""
        if calibration.external_slope is None
        else f", and the logarithm of your predictions times {_factor(calibration.external_slope)}"
    )
    return (
        f"Learned from other tests before each was run: a typical click rate of "
        f"{share(calibration.level)}; lines of one test differ by {share(calibration.spread)} "
        f"(standard deviation); the text prior's score counts times {_factor(calibration.slope)}"
        f"{external}; a prediction weighs as much as {calibration.pseudo_clicks:,.0f} clicks on "
        "the line."
    )


def left_out(result: BacktestResult) -> list[str]:
    """Each reason with its number of rows or tests, the most frequent first."""
    reasons = sorted(result.skipped.items(), key=lambda item: -item[1])
    return [f"{reason}: {count:,}" for reason, count in reasons if count]


def drawn_from(result: BacktestResult) -> str:
    """Which rates clicks are drawn from, and so which line the oracle shows."""
    oracle = f"“{name_of('oracle')}” is the oracle that knows these {result.truth} rates."
    return f"{result.truth_note} {oracle}".strip()


def runs(result: BacktestResult) -> str:
    """How it was done, in two sentences."""
    return (
        f"{counted(result.seeds, 'run')} of every policy on every test, in "
        f"{counted(round(result.seconds), 'second')}. Intervals are 95 %, over "
        f"{counted(result.groups, 'group')} of tests that may share lines."
    )


def ranked(result: BacktestResult) -> list[str]:
    """All policies, from the best to the worst at the largest budget that each was run at."""
    last: dict[str, float] = {}
    for budget in sorted(result.budgets):
        for name, policy in result.budgets[budget].items():
            last[name] = policy.uplift_vs_uniform
    return sorted(last, key=lambda name: -last[name] if isfinite(last[name]) else float("inf"))


def direction(ci: Interval) -> int:
    """1 where the whole interval lies above 0, −1 where it lies below, else 0."""
    low, high = ci
    if not (isfinite(low) and isfinite(high)):
        return 0
    return int(low > 0) - int(high < 0)


def share(value: float) -> str:
    """A share as per cent, with a true minus.

    Examples:
        >>> share(0.465), share(-0.012), share(0.0004), share(float("nan"))
        ('46.5 %', '−1.2 %', '0.04 %', 'unknown')
    """
    return f"{_figure(value)} %" if isfinite(value) else "unknown"


def lift(value: float) -> str:
    """A relative difference as signed per cent.

    Examples:
        >>> lift(0.123), lift(-0.036), lift(0.0)
        ('+12.3 %', '−3.6 %', '0 %')
    """
    return ("+" if value > 0 and isfinite(value) else "") + share(value)


def ends(ci: Interval) -> str:
    """An interval in per cent, without the sign for it.

    Examples:
        >>> ends((0.109, 0.136)), ends((-0.002, 0.008))
        ('10.9 to 13.6', '−0.2 to 0.8')
    """
    low, high = ci
    if not (isfinite(low) and isfinite(high)):
        return "no interval"
    return f"{_figure(low)} to {_figure(high)}"


def counted(count: int, noun: str) -> str:
    """A number of things.

    Examples:
        >>> counted(1, "test"), counted(2005, "test")
        ('1 test', '2,005 tests')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _figure(value: float) -> str:
    """Hundredths of 1, with enough decimals not to round to nothing, or 0."""
    size = abs(100 * value)
    if size == 0:
        return "0"
    shown = f"{size:,.1f}" if size >= 0.095 else f"{size:.2f}" if size >= 0.005 else "<0.01"
    return f"−{shown}" if value < 0 else shown


def _factor(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _rivals(subject: str, policies: Mapping[str, PolicyResult]) -> list[str]:
    """Whom to compare a policy with: the usual ones, and all that beat it with no more to go by."""
    usual = _RIVALS[subject]
    ahead = [
        other
        for other, found in policies[subject].versus.items()
        if direction(found.ci) < 0 and other != "oracle" and other not in usual
    ]
    external = subject.endswith(_EXTERNAL)
    return [*usual, *(other for other in ahead if external or not other.endswith(_EXTERNAL))]


def _gain(prior: PriorResult) -> Comparison:
    return Comparison(lift=prior.uplift, ci=prior.uplift_ci)


def _sentence(opening: str, subject: str, rivals: Mapping[str, Comparison]) -> str:
    names = {rival: _IN_A_SENTENCE.get(rival, name_of(rival)) for rival in rivals}
    proven = [
        _clause(found, names[rival], clicks=False)
        for rival, found in rivals.items()
        if direction(found.ci) != 0
    ]
    open_ = [
        f"{names[rival]} ({_signed_ends(found)})"
        for rival, found in rivals.items()
        if direction(found.ci) == 0
    ]
    if not proven:
        return f"{opening}, no difference is proven between {subject} and {_listed(open_, 'or')}."
    proven[0] = proven[0].replace(" than", " clicks than", 1)
    rest = f"; no difference is proven from {_listed(open_, 'or')}" if open_ else ""
    return f"{opening}, {subject} would have earned {_listed(proven, 'and')}{rest}."


def _clause(found: Comparison, rival: str, *, clicks: bool = True) -> str:
    """“12.3 % more clicks than equal shares (10.9 to 13.6)”: for an interval that leaves 0 out."""
    way = direction(found.ci)
    low, high = sorted(way * end for end in found.ci)
    word = ("more" if way > 0 else "fewer") + (" clicks" if clicks else "")
    return f"{share(way * found.lift)} {word} than {rival} ({ends((low, high))})"


def _signed_ends(found: Comparison) -> str:
    return f"{lift(found.lift)}, {ends(found.ci)}"


def _listed(items: Sequence[str], last: str) -> str:
    """“a, b and c”."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
