import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.house.batches import batches, line_of, stacked, vocabulary
from hookline.house.pairs import pairs, read_catalogs
from hookline.house.pieces import Pieces
from hookline.house.rows import (
    RUN,
    Row,
    Written,
    is_held_out,
    load_rows,
    mask,
    save_rows,
    sentences_of,
    unmasked,
)
from hookline.house.texts import HEADLINES, sentences, stories
from hookline.types import Product
from hookline.writers.house.marks import FIELD, MARKS
from hookline.writers.house.network import room_kind
from hookline.writers.phrasebook.bank import LANGUAGES

TEXTS = ["See the bag.", "See the blue bag.", f"The {MARKS['price']} bag, for you."] * 4
PIECES = Pieces.found(TEXTS, 80)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    catalogs = read_catalogs(Path("nowhere"))  # the sample shop alone
    return [row for language in LANGUAGES for row in pairs(catalogs, 25, language=language, seed=1)]


def test_pairs_hold_slots_and_no_facts(rows: list[Row]) -> None:
    assert {name for row in rows for name in row.conditions if name.startswith("locale")} == {
        f"locale {language}" for language in LANGUAGES
    }
    texts = [spot.text for row in rows for spot in row.fields]
    assert not any(regex.search(r"\d|Larkmoor|Wayside", text) for text in texts)
    used = Counter(char for text in texts for char in text if char in MARKS.values())
    assert {MARKS["the_name"], MARKS["name"], MARKS["price"], MARKS["maker"]} <= used.keys()
    assert MARKS["number"] not in used


def test_pairs_keep_their_room_and_hold_no_long_sentence(rows: list[Row]) -> None:
    for row in rows:
        for spot in row.fields:
            marks = sum(char in MARKS.values() for char in spot.text)
            assert marks == len(spot.widths)
            assert spot.wide or len(spot.text) - marks + sum(spot.widths) <= spot.room
            assert all(len(said) <= RUN for said in sentences_of(spot.text))


def test_pairs_are_the_same_for_the_same_seed(rows: list[Row]) -> None:
    catalogs = read_catalogs(Path("nowhere"))
    again = list(pairs(catalogs, 25, language=LANGUAGES[0], seed=1))
    assert again == rows[: len(again)]
    assert again != list(pairs(catalogs, 25, language=LANGUAGES[0], seed=2))


def test_products_are_held_out_whole(rows: list[Row]) -> None:
    assert {row.held_out for row in rows} == {True, False}
    share = np.mean([is_held_out(f"product-{number}") for number in range(4000)])
    assert 0.08 < share < 0.13  # a tenth, 5 standard errors about it


def test_rows_survive_being_saved(rows: list[Row]) -> None:
    assert load_rows(save_rows(rows)) == rows


def test_unmasked_counts_what_stands_in_a_slot() -> None:
    text, widths = unmasked(f"The {mask('name', 5)}, {mask('price', 3)}, the {mask('maker', 1)}")
    assert text == f"{MARKS['the_name']}, {MARKS['price']}, the {MARKS['maker']}"
    assert widths == (9, 3, 1)


def test_stories_are_the_better_headlines_each_once(tmp_path: Path) -> None:
    lines = [
        ("7", "1", "You Won't Believe These 12 Dogs", 1000, 30),
        ("7", "1", "Dogs That Few People Know", 1000, 10),
        ("7", "2", "you won't believe these 12 dogs", 1000, 30),
        ("7", "2", "A Headline With Too Few Clicks", 1000, 1),
        ("9", "3", "One Arm And Nothing Beside It", 1000, 20),
    ]
    path = tmp_path / HEADLINES
    path.parent.mkdir()
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(("article_id", "test_id", "headline", "impressions", "clicks"))
    table.writerows(lines)
    path.write_bytes(gzip.compress(file.getvalue().encode()))
    [row] = stories(tmp_path)
    assert row.fields[0].text == f"You Won't Believe These {MARKS['number']} Dogs"
    assert row.held_out == is_held_out("article", "7")


def test_sentences_leave_out_the_maker_and_numbers() -> None:
    about = "Fern makes this bag for 3 long days out. Short one. <b>Not a text that reads well</b>."
    [row] = sentences([Product(id="1", title="Bag", brand="Fern", description=about)])
    maker, number = MARKS["maker"], MARKS["number"]
    assert row.fields[0].text == f"{maker} makes this bag for {number} long days out."
    assert row.fields[0].widths == (4, 4)


@given(st.text(alphabet="Seth bagluyo.," + MARKS["price"] + MARKS["name"], max_size=30))
@settings(max_examples=80)
def test_pieces_put_together_are_the_text(text: str) -> None:
    cut = PIECES.cut(text)
    if cut is not None:
        assert "".join(PIECES.texts[at] for at in cut) == text


def test_what_is_often_seen_is_one_piece() -> None:
    assert [PIECES.texts[at] for at in PIECES.cut("See the bag.") or ()] == [
        "See", " the", " bag", ".",
    ]  # fmt: skip
    assert PIECES.cut("Qux") is None


def test_a_line_tells_the_room_left_behind_each_piece() -> None:
    spot = Written(
        conditions=("role hook",), room=20, text=f"The {MARKS['price']} bag", widths=(6,)
    )
    row = Row(source="copy", conditions=("text copy",), fields=(spot, spot))
    ids = {name: at for at, name in enumerate(vocabulary([row]))}
    line = line_of(row, PIECES, ids, 64)
    assert line is not None
    texts = [PIECES.texts[at] for at in line.pieces]
    assert "".join(texts) == f"{FIELD}{spot.text}{FIELD}{spot.text}{FIELD}"
    half = len(line.rooms) // 2
    assert line.rooms[0] == line.rooms[half] == room_kind(20)
    assert line.rooms[half - 1] == room_kind(20 - len("The ") - 6 - len(" bag"))
    assert line_of(row, PIECES, ids, 4) is None


def test_batches_hold_every_line_once_and_stay_small(rows: list[Row]) -> None:
    pieces = Pieces.found((spot.text for row in rows for spot in row.fields), 600)
    ids = {name: at for at, name in enumerate(vocabulary(rows))}
    lines = [line for row in rows if (line := line_of(row, pieces, ids, 96))]
    assert len(lines) > len(rows) / 2
    made = list(batches(lines, pieces=200, rng=np.random.default_rng(0)))
    assert Counter(id(line) for batch in made for line in batch) == Counter(map(id, lines))
    for batch in made:
        whole = stacked(batch)
        assert whole["pieces"].size <= 200 or len(batch) == 1
        assert (whole["next"] >= 0).sum() == sum(len(line.rooms) for line in batch)
        fields = whole["kinds"][whole["fields"]]
        assert np.array_equal(fields[0, : len(batch[0].rooms)], batch[0].fields)
