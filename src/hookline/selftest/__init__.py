"""A/A tests: how often a difference is named where there is none.

Visitors who don't care which line they get are served as a running experiment serves them
(`traffic`); at every look the report's own rules are asked what they would claim (`standing`), and
many such tests give the rate of false claims (`trials`), in words (`words`).
"""

from hookline.selftest.standing import Claims, Standing, columns_of, significant
from hookline.selftest.traffic import Batch, Traffic, edges_of, example, under
from hookline.selftest.trials import Look, Rate, SelfTest, Trial, play, rate_of, self_test
from hookline.selftest.words import holds, to_text

__all__ = [
    "Batch",
    "Claims",
    "Look",
    "Rate",
    "SelfTest",
    "Standing",
    "Traffic",
    "Trial",
    "columns_of",
    "edges_of",
    "example",
    "holds",
    "play",
    "rate_of",
    "self_test",
    "significant",
    "to_text",
    "under",
]
