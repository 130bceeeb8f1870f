"""What visitors did before the test takes noise off what they did in it: CUPED."""

import numpy as np

from hookline.stats.moments import Moments


def cuped(*arms: Moments) -> tuple[Moments, ...]:
    """Each arm's moments of the outcome less what a covariate from before the test explains.

        y' = y − θ (x − x̄),    θ = cov(y, x) / var(x)

    with θ and x̄ from all arms together. The mean of y' over an arm estimates the same as that of
    y, since no arm can have changed what was before the test; its variance is lower by the share
    ρ², the squared correlation. Feed the result to `compare_means`. Where the covariate is the
    same for everybody nothing is explained and y stays as it is.

    Assumptions: x was fixed **before** the visitor was given an arm (else the effect itself is
    taken off); arms were drawn by constant probabilities. θ is estimated on the same visitors,
    which biases by order 1/n only.

    Source: Deng, Xu, Kohavi and Walker (2013, WSDM, "Improving the sensitivity of online
    controlled experiments by utilizing pre-experiment data"); it is analysis of covariance.

    Args:
        arms: Moments of two columns, outcome y and covariate x, one for each arm.

    Returns:
        Moments of one column, y', in the same order. Those of batches add up before this
        function, not after, for θ is of all.

    Raises:
        ValueError: Where an arm has not two columns.

    Examples:
        >>> rows = np.array([[3.0, 1.0], [5.0, 2.0], [6.0, 3.0], [8.0, 4.0]])
        >>> arm, control = cuped(Moments.of(rows), Moments.of(rows[::-1] - [1.0, 0.0]))
        >>> float(round(arm.mean[0] - control.mean[0], 6)), float(round(arm.covariance[0, 0], 3))
        (1.0, 0.067)
    """
    if any(len(arm.mean) != 2 for arm in arms):
        raise ValueError("every arm needs moments of two columns: outcome and covariate")
    pooled = sum(arms, Moments.none(2))
    spread = float(pooled.scatter[1, 1])
    slope = float(pooled.scatter[0, 1]) / spread if spread > 0 else 0.0
    weights = np.array([1.0, -slope])
    return tuple(
        Moments(
            n=arm.n,
            mean=np.array([weights @ arm.mean + slope * pooled.mean[1]]),
            scatter=np.array([[max(weights @ arm.scatter @ weights, 0.0)]]),
        )
        for arm in arms
    )


def explained(*arms: Moments) -> float | None:
    """The share of the outcome's variance that the covariate takes off: ρ², 0 to 1.

    None where outcome or covariate don't vary. So many fewer visitors are needed with `cuped`.

    Args:
        arms: As for `cuped`.

    Examples:
        >>> round(explained(Moments.of([[3.0, 1.0], [5.0, 2.0], [6.0, 3.0], [8.0, 4.0]])), 3)
        0.985
    """
    pooled = sum(arms, Moments.none(2))
    (vy, c), (_, vx) = pooled.scatter.tolist()
    return min(c**2 / (vy * vx), 1.0) if vy > 0 and vx > 0 else None
