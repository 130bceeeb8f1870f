"""The benchmark of guard metrics: what it counts as taken out."""

from benchmarks.guardrails import VISITORS, Kind, taken_out


def test_taken_out_nothing_where_nothing_happens() -> None:
    assert taken_out(Kind(metric="refunds", rate=0.0), seed=(0, 0)) == {}


def test_taken_out_the_line_that_does_harm_and_no_other() -> None:
    out = taken_out(Kind(metric="refunds", rate=0.02, times=10.0), seed=(0, 1))
    assert set(out) == {3}
    assert 0 < out[3] < VISITORS


def test_taken_out_fewer_clicks_are_harm_and_more_are_not() -> None:
    assert taken_out(Kind(metric="clicks", rate=0.02, times=10.0), seed=(0, 1)) == {}
    assert 3 in taken_out(Kind(metric="clicks", rate=0.2, times=0.1), seed=(0, 1))
