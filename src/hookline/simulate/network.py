"""How word of what shoppers do arrives: sometimes late, sometimes twice."""

from collections.abc import Iterator
from datetime import timedelta

from hookline.simulate.chances import chances, delay
from hookline.simulate.parameters import Parameters
from hookline.simulate.records import Done, Happening, Visit


def sent(done: Done, visit: Visit, *, seed: int, parameters: Parameters) -> Iterator[Happening]:
    """The message of one thing done, twice where the network sends it twice.

    Args:
        done: What was done.
        visit: On which visit.
        seed: Seed of the world.
        parameters: The world's constants.
    """
    p = parameters
    message_id = f"{done.kind}-{visit.visit_id}"
    chance = chances(seed, message_id)
    wait = delay(p.late_hours * 60, 1.0, chance[1]) if chance[0] < p.late else timedelta()
    bought = done.kind in {"order", "refund"}
    again = delay(10.0, 1.0, chance[3])
    arrives = done.at + wait
    for arrives_at in (arrives, arrives + again)[: 2 if chance[2] < p.duplicates else 1]:
        yield Happening(
            message_id=message_id,
            kind=done.kind,
            visitor_id=visit.visitor_id,
            at=done.at,
            arrives_at=arrives_at,
            order_id=f"order-{visit.visit_id}" if bought else "",
            revenue=done.worth,
            currency=done.currency,
        )
