"""A log from files gives what all of it at once gives; what is unsound is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hookline.bulk import LogAnswer, Question, Resources, analyse_log, to_text
from hookline.errors import BadInput
from hookline.stats import Moments, mean_estimate, sample_ratio, scores, value
from hookline.types import Estimate
from made_log import ARMS, Log, in_memory, lines, make_log, write

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

HORIZON = 5_000
ASKED = Question(horizon=HORIZON)
Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def log() -> Log:
    return make_log(6_000)


@pytest.fixture(scope="module")
def file(log: Log, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("log") / "log.jsonl", lines(log))


def same(one: Estimate, other: Estimate) -> None:
    assert (one.n, one.reason) == (other.n, other.reason)
    assert [one.estimate, one.low, one.high] == pytest.approx(
        [other.estimate, other.low, other.high], rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("batch", [3 * 170, 3 * 1_000, 1 << 18])
def test_lifts_are_those_of_all_rows_at_once_however_the_log_is_cut(
    log: Log, file: str, batch: int
) -> None:
    found = analyse_log([file], ASKED, Resources(batch=batch))
    for name, rewards in (("clicks", log.clicks), ("revenue", log.revenue)):
        for arm in (1, 2):
            same(found.metrics[name].arms[ARMS[arm]].lift, in_memory(log, rewards, arm, HORIZON))
    assert found.metrics["clicks"].arms["bold"].lift.n == len(log)
    assert found.metrics["clicks"].arms["warm"].lift.n == len(log) - len(log) // 4


def test_looks_are_the_answers_of_shorter_logs(log: Log, file: str, tmp_path: Path) -> None:
    found = analyse_log([file], ASKED, Resources(batch=3 * 700))
    assert [look.rows for look in found.looks] == [1_000, 2_000, 4_000, 6_000]
    short = analyse_log([write(tmp_path / "short.jsonl", lines(log)[:2_000])], ASKED)
    same(found.looks[1].lift["clicks"]["bold"], short.metrics["clicks"].arms["bold"].lift)
    same(found.looks[-1].policy["revenue"], found.metrics["revenue"].policy.lift)


def test_the_split_is_that_of_all_rows_at_once(log: Log, file: str) -> None:
    found = analyse_log([file], ASKED, Resources(batch=3 * 500)).split
    whole = sample_ratio(log.arms, log.probabilities)
    assert found.flagged is whole.flagged is False
    assert found.p_value == pytest.approx(whole.p_value, rel=1e-9)
    assert found.observed == dict(zip(ARMS, whole.observed, strict=True))


def test_a_broken_split_is_flagged(log: Log, tmp_path: Path) -> None:
    rows = lines(log)
    lossy = [row for i, row in enumerate(rows) if row["arm"] != "bold" or i % 3]
    found = analyse_log([write(tmp_path / "lossy.jsonl", lossy)], ASKED)
    assert found.split.flagged is True
    assert "CHECK THE TRAFFIC" in to_text(found)


@pytest.mark.parametrize("kind", ["csv", "parquet", "object", "text", "two files"])
def test_every_kind_of_file_says_the_same(log: Log, file: str, tmp_path: Path, kind: str) -> None:
    rows = lines(log)[:1_500]
    plain = analyse_log([write(tmp_path / "plain.jsonl", rows)], ASKED)
    if kind == "csv":
        paths = [write(tmp_path / "log.csv", rows)]
    elif kind == "two files":
        write(tmp_path / "part1.jsonl", rows[:700])
        write(tmp_path / "part2.jsonl", rows[700:])
        paths = [str(tmp_path / "part*.jsonl")]
    elif kind == "parquet":
        paths = [str(tmp_path / "log.parquet")]
        duckdb.sql(f"COPY (FROM '{tmp_path}/plain.jsonl') TO '{paths[0]}'")
    else:
        objects = [_as_object(row, as_text=kind == "text") for row in rows]
        paths = [write(tmp_path / "objects.jsonl", objects)]
    found = analyse_log(paths, ASKED)
    assert found.rows == 1_500
    for name in ("clicks", "revenue"):
        same(found.metrics[name].arms["bold"].lift, plain.metrics[name].arms["bold"].lift)


def _as_object(row: dict[str, object], *, as_text: bool) -> dict[str, object]:
    shares = {name: row[f"p_{name}"] for name in ARMS}
    kept = {name: value for name, value in row.items() if not name.startswith("p_")}
    return kept | {"probabilities": json.dumps(shares) if as_text else shares}


def test_the_policy_and_the_gain_are_those_of_scores_in_memory(log: Log, file: str) -> None:
    policy = analyse_log([file], ASKED).metrics["clicks"].policy
    psi = scores(log.clicks, log.arms, log.probabilities, log.segments)
    served = value(psi, log.probabilities)
    assert policy.value.estimate == pytest.approx(served.mean(), rel=1e-9)
    assert policy.gain.estimate == pytest.approx((served - psi[:, 0]).sum(), rel=1e-9)
    even = np.nan_to_num(psi).sum(axis=1) / (log.probabilities > 0).sum(axis=1)
    assert policy.over_uniform.estimate == pytest.approx(served.mean() / even.mean() - 1, rel=1e-8)
    plain = mean_estimate(
        Moments.of(served[:, None]), events=int(log.clicks.sum()), horizon=HORIZON
    )
    assert policy.value.high is not None
    assert plain.high is not None
    assert policy.value.high >= plain.high - 1e-12


def test_segments_are_held_to_a_stricter_level(log: Log, file: str) -> None:
    metric = analyse_log([file], ASKED).metrics["clicks"]
    inside = metric.segments["old"]["bold"]
    assert list(metric.segments) == ["new", "old"]
    assert inside.n == int((log.segments == 1).sum())
    assert inside.low is not None
    assert inside.high is not None
    assert inside.estimate is not None
    assert inside.low < inside.estimate < inside.high


def test_the_served_arms_propensity_is_enough(log: Log, file: str, tmp_path: Path) -> None:
    full = analyse_log([file], ASKED)
    alone = analyse_log([write(tmp_path / "alone.jsonl", lines(log, alone=True))], ASKED)
    one, other = (each.metrics["clicks"].arms["bold"].lift for each in (full, alone))
    assert one.estimate == pytest.approx(other.estimate, abs=0.02)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.05)
    assert alone.split.p_value is None
    assert alone.split.flagged is False
    met = int(np.argmax(log.arms == 2)) + 1  # `warm` is known from its first decision on
    assert alone.metrics["clicks"].arms["warm"].lift.n == len(log) - met


def test_an_arm_taken_out_of_a_log_of_propensities_alone_is_flagged(tmp_path: Path) -> None:
    log = make_log(6_000)
    rows = lines(log, alone=True)
    gone = [row for i, row in enumerate(rows) if i < 2_500 or row["arm"] != "warm"]
    for row in gone[2_500:]:
        share = log.probabilities[-1, 2]
        row["propensity"] = float(str(row["propensity"])) / (1 - share)
    found = analyse_log([write(tmp_path / "gone.jsonl", gone)], ASKED).split
    assert found.flagged is True
    assert "warm" in found.reason


def changed(**values: object) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[16].update(values)

    return change


def dropped(name: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for row in rows:
            del row[name]

    return change


def backwards(rows: Rows) -> None:
    rows[16]["at"] = rows[3]["at"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(arm=None), "row 17 of the log has no arm"),
        (changed(arm="bald"), "no column 'p_bald'"),
        (changed(p_bold=0.9), "row 17 of the log has probabilities that do not sum to 1"),
        (changed(p_bold=-0.5), "row 17 of the log has a probability below 0"),
        (
            changed(arm="bold", p_control=1, p_bold=0, p_warm=0),
            "'bold', whose logged probability is 0",
        ),
        (changed(propensity=0.99), "is not its arm's"),
        (changed(propensity=0.0), "row 17 of the log needs a propensity above 0"),
        (changed(at=None), "row 17 of the log has no time"),
        (backwards, "row 17 of the log is older than the row before it"),
        (dropped("arm"), "no column 'arm'"),
        (dropped("p_control"), "no column 'p_control'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: Callable[[Rows], None], words: str) -> None:
    rows = lines(make_log(40))
    for row in rows:
        row["propensity"] = row[f"p_{row['arm']}"]
    change(rows)
    with pytest.raises(BadInput, match=words):
        analyse_log([write(tmp_path / "bad.jsonl", rows)], ASKED)


def test_rows_out_of_order_are_sorted_where_asked(log: Log, file: str, tmp_path: Path) -> None:
    rows = lines(log)
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    path = write(tmp_path / "mixed.jsonl", shuffled)
    found = analyse_log([path], Question(horizon=HORIZON, sort=True))
    same(found.metrics["clicks"].arms["bold"].lift, in_memory(log, log.clicks, 1, HORIZON))
    assert found.looks[-1].at == pytest.approx(1_767_225_600 + len(log) - 1)


def refused(tmp_path: Path, rows: Rows, asked: Question = ASKED) -> LogAnswer:
    return analyse_log([write(tmp_path / "log.jsonl", rows)], asked)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"revenue": -30.0}, "amounts below 0: 1, the lowest -30"),
        (
            {"revenue": 1e9},
            "one decision alone, of 1e+09, makes up more than 50% of all variation; check it",
        ),
        ({"currency": "EUR"}, "money in EUR and USD does not add"),
    ],
)
def test_unsound_money_has_no_answer_but_clicks_have(
    tmp_path: Path, values: dict[str, object], words: str
) -> None:
    rows = lines(make_log(2_000))
    for row in rows:
        row["currency"] = "USD"
    rows[16].update(values)
    found = refused(tmp_path, rows)
    money = found.metrics["revenue"]
    assert money.reason == words
    assert money.total is None
    lift = money.arms["bold"].lift
    assert (lift.estimate, lift.low, lift.high, lift.reason) == (None, None, None, words)
    assert money.policy.gain.estimate is None
    assert found.metrics["clicks"].arms["bold"].lift.low is not None
    assert words in to_text(found)


def test_one_arm_has_a_value_and_nothing_to_compare(tmp_path: Path) -> None:
    rows: Rows = [
        {"arm": "control", "propensity": 1.0, "clicks": int(i % 10 == 0)} for i in range(2_000)
    ]
    found = refused(tmp_path, rows)
    metric = found.metrics["clicks"]
    assert metric.arms["control"].value.estimate == pytest.approx(0.1, abs=0.001)
    assert metric.policy.lift.reason == "there is only one arm"
    assert metric.policy.lift.estimate is None
    assert found.split.reason == "needs two arms to split between"


def test_zero_variance_has_no_interval(tmp_path: Path) -> None:
    rows: Rows = [
        {"arm": ("control", "bold")[i % 2], "propensity": 0.5, "clicks": 0} for i in range(2_000)
    ]
    lift = refused(tmp_path, rows).metrics["clicks"].arms["bold"].lift
    assert (lift.estimate, lift.low) == (None, None)
    assert lift.reason


def test_rows_left_out_are_counted(tmp_path: Path) -> None:
    rows = lines(make_log(2_000))
    for row in rows[:10]:
        row.update(dict.fromkeys(("p_control", "p_bold", "p_warm")))
    for row in rows[10:30]:
        row["shown"] = False
    for row in rows[1_000:]:
        row["revenue"] = None
    for row in rows:
        row.setdefault("shown", True)
    found = refused(tmp_path, rows)
    assert found.left_out == {
        "drawn with no logged probability": 10,
        "never shown": 20,
        "revenue not settled": 1_000,
    }
    assert found.metrics["clicks"].n == 1_970
    assert found.metrics["revenue"].n == 970


def test_columns_may_have_other_names_and_rows_be_chosen(tmp_path: Path, log: Log) -> None:
    rows = [
        {"variant": row["arm"], "margin": -1.0, "test": i % 2, **row}
        for i, row in enumerate(lines(log))
    ]
    for row in rows:
        del row["arm"]
    asked = Question(columns={"arm": "variant"}, numbers=("margin",), where="test = 1")
    found = refused(tmp_path, rows, asked)
    assert found.rows == 3_000
    assert found.metrics["margin"].total == -3_000
    assert found.metrics["margin"].reason == ""


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Question(control="nobody"), "no arm of the log is named 'nobody'"),
        (Question(columns={"arm": "variant"}), "no column 'variant'"),
        (Question(columns={"hat": "arm"}), "no column is needed for 'hat'"),
        (Question(where="hat = 1"), "hat"),
        (Question(numbers=("hat",)), "'hat' is no further column"),
        (Question(where="false"), "the log has no rows"),
    ],
)
def test_a_bad_question_is_one_line(file: str, asked: Question, words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        analyse_log([file], asked)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["nowhere.parquet", "nowhere-*.csv", "log.xlsx", "log"])
def test_a_file_that_is_not_there_is_one_line(path: str) -> None:
    with pytest.raises(BadInput) as caught:
        analyse_log([path], ASKED)
    assert "\n" not in str(caught.value)


def test_a_number_that_is_none_far_down_a_file_is_one_line(tmp_path: Path) -> None:
    rows = [f"{('control', 'bold')[i % 2]},0.5,{i % 7 // 6}" for i in range(30_000)]
    rows[29_000] = "bold,0.5,many"
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["arm,propensity,clicks", *rows]))
    with pytest.raises(BadInput, match="many") as caught:
        analyse_log([str(path)], ASKED)
    assert "\n" not in str(caught.value)


def test_the_policy_of_a_log_with_slices_is_told_from_what_was_served(tmp_path: Path) -> None:
    log = make_log(4_000)
    rows = lines(log)
    found = refused(tmp_path, rows, Question(holdout=0.05, uniform=0.06)).metrics["clicks"].policy
    assert found.lift.estimate is not None
    broken = refused(tmp_path, rows, Question(holdout=0.6)).metrics["clicks"].policy
    assert broken.lift.reason == "the logged probabilities do not fit the shares of the slices"
    assert broken.gain.estimate is not None


@pytest.mark.parametrize("given", [{"horizon": 0}, {"holdout": -0.1}, {"uniform": 1.0}])
def test_a_question_checks_its_numbers(given: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Question(**given)  # pyright: ignore[reportArgumentType]
