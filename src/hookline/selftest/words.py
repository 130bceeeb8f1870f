"""A self-test in words."""

from hookline.selftest.trials import Rate, SelfTest


def to_text(found: SelfTest) -> str:
    """What the self-test came to, and whether the promise holds."""
    trial = found.trial
    lines = sum(arm.active for arm in trial.experiment.arms)
    return "\n".join(
        [
            f"{found.winner.runs:,} A/A tests: {lines} identical lines under "
            f"{trial.experiment.policy}, {trial.visitors:,} visitors and "
            f"{len(trial.edges)} looks each.",
            f"  a false winner at some look              {_share(found.winner)}",
            f"  any false claim at some look             {_share(found.claim)}",
            f"  a z-test of the raw rates, as often      {_share(found.significant)}",
            _answer(found),
        ]
    )


def holds(found: SelfTest) -> bool:
    """Whether the runs are in keeping with at most the rule's risk of a false winner a test."""
    return found.winner.low <= found.trial.experiment.rule.risk


def _answer(found: SelfTest) -> str:
    risk = found.trial.experiment.rule.risk
    promised = f"the promised {100 * risk:g}%"
    if not holds(found):
        return f"Winners are named falsely more often than {promised}: don't trust them here."
    if found.winner.high <= risk:
        return f"False winners are rarer than {promised}."
    return f"That is in keeping with {promised}; more runs would say it more exactly."


def _share(rate: Rate) -> str:
    return f"{rate.estimate:6.1%}  ({rate.low:.1%} to {rate.high:.1%})  {rate.hits} of {rate.runs}"
