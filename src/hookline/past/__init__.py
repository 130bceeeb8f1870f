r"""Past A/B tests: a table of lines with impressions and clicks → tests that can be learned from.

The modules are the data flow, from a file's bytes to `PastTests`; `read` calls them in this order:

    records → columns → rows (cells) → sample (digest) → groups, predictions → tests

Files of any length are read as a stream. Above `most_lines` lines a uniform sample of whole tests
is kept, which depends on their ids and not on the order of the rows.

Examples:
    >>> import tempfile
    >>> from pathlib import Path
    >>> table = "Test;Headline;Views;Clicks\n1;Oak desk;900;27\n1;A desk for life;1,000;45\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "tests.csv"
    ...     _ = path.write_text(table + "2;Tin mug;80;95\n", encoding="utf-8")
    ...     reading = read_past_tests(path)
    >>> reading.tests.texts, reading.tests.rates
    (('Oak desk', 'A desk for life'), array([0.03 , 0.045]))
    >>> reading.skipped
    {'more clicks than impressions': 1}
"""

from hookline.past.read import Reading, read_past_tests
from hookline.past.tests import PastTests

__all__ = ["PastTests", "Reading", "read_past_tests"]
