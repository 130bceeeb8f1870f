"""Groups of tests that share a text or a group's name."""

from hypothesis import given

from past.past_tables import ROWS, Row, has, many, read, table_of


def test_past_groups_join_by_column_and_by_text() -> None:
    rows: list[Row] = [
        ("t1", "a1", 9, 1, "g"), ("t1", "a2", 9, 1, ""),
        ("t2", "b1", 9, 1, "h"), ("t2", "b2", 9, 1, "k"),
        ("t3", "c1", 9, 1, "g"), ("t3", "c2", 9, 1, "g"),
        ("t4", "B1 ", 9, 1, ""), ("t4", "d  2", 9, 1, ""),
        ("t5", "e1", 9, 1, "k"), ("t5", "D 2", 9, 1, ""),
        ("t6", "f1", 9, 1, ""), ("t6", "f2", 9, 1, ""),
        ("t7", "a1", 9, 1, ""), ("t7", "g2", 9, 1, ""),
    ]  # fmt: skip
    reading = read(table_of(rows))
    assert reading.tests.groups.tolist() == [0, 1, 0, 1, 1, 2, 0]
    assert has(reading.notes, "7 tests in 3 groups; groups of one test only: 1.")


@given(ROWS)
def test_past_groups_are_the_connected_components(rows: list[Row]) -> None:
    rows += [("t1", "one", 9, 1, ""), ("t1", "two", 9, 1, "")]
    tests = read(table_of(rows)).tests
    names = {
        test_id: {("text", row[1].casefold()) for row in rows if row[0] == test_id}
        | {("group", row[4]) for row in rows if row[0] == test_id and row[4]}
        for test_id in tests.test_ids
    }
    reached = {test_id: {test_id} for test_id in names}
    for _ in names:
        for test_id, others in reached.items():
            near = set[tuple[str, str]]().union(*(names[other] for other in others))
            reached[test_id] = {other for other in names if names[other] & near} | others
    for one, first in zip(tests.test_ids, tests.groups, strict=True):
        for other, second in zip(tests.test_ids, tests.groups, strict=True):
            assert (first == second) == (other in reached[one])
    firsts = list(dict.fromkeys(tests.groups.tolist()))
    assert firsts == list(range(len(firsts)))


def test_past_groups_of_one_test_each_are_noted() -> None:
    assert has(read(table_of(many(5))).notes, "Every group spans one test only")


def test_past_group_that_joins_most_tests_is_noted() -> None:
    rows = [(f"t{test}", text, 9, 1, "") for test in range(40) for text in ("Control", f"{test}")]
    assert has(read(table_of(rows)).notes, "One group joins 40 of 40 tests")
