"""Hookline's own outcomes as lines that `analyse_log` reads, and that any other tool can."""

from collections.abc import Iterable, Iterator

from hookline.types import Experiment, Outcome, dumps


def decision_lines(experiment: Experiment, outcomes: Iterable[Outcome]) -> Iterator[bytes]:
    """One line of JSON a decision, in the order given; made as it is asked for.

    `propensity` and `probabilities` are null where no probability describes what was served (the
    fallback slice, an arm the experiment does not have), and a metric is null until its window has
    closed: both are then left out of estimates, as the report does.

    Args:
        experiment: The experiment.
        outcomes: Its outcomes, in log order.
    """
    known = [arm.id for arm in experiment.arms]
    for outcome in outcomes:
        decision = outcome.decision
        drawn = decision.slice != "fallback" and decision.arm_id in known
        own = decision.probabilities.get(decision.arm_id, 0.0) if drawn else 0.0
        shares = {key: decision.probabilities.get(key, 0.0) for key in known}
        line = {
            "id": decision.id,
            "at": decision.context.at,
            "arm": decision.arm_id,
            "propensity": own or None,
            "probabilities": shares if own else None,
            "segment": decision.audience_id,
            "slice": decision.slice,
            "shown": outcome.exposed,
            "clicks": outcome.clicks if outcome.click_settled else None,
            "orders": outcome.orders if outcome.order_settled else None,
            "revenue": outcome.revenue if outcome.order_settled else None,
            "refunds": outcome.refunds if outcome.order_settled else None,
            "unsubscribes": int(outcome.unsubscribed) if outcome.order_settled else None,
            "currency": experiment.currency,
        }
        yield dumps(line) + b"\n"
