from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.writers.house.marks import FIELD, MARKS, fill
from hookline.writers.house.network import CARD, WEIGHTS, Network, room_kind
from hookline.writers.house.sampler import Ask, Luck, sample
from made_house import PIECES, network

LUCK = Luck(temperature=1.0, top_p=1.0)
HELD = {"name": "Tin Mug", "the_name": "the Tin Mug", "price": "$9"}
ASK = Ask(conditions=("role hook",), room=30, least=5, values=HELD)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return network(tmp_path_factory.mktemp("house"))


def drawn(net: Network, *asks: Ask, count: int = 200, seed: int = 0) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    found = sample(net, [asks] * count, size=len, luck=LUCK, rng=rng)
    return [texts for texts in found if texts is not None]


def test_every_text_fits_its_field_with_its_slots_filled(net: Network) -> None:
    copies = drawn(net, ASK, replace(ASK, room=24, least=1), count=400)
    assert len(copies) > 10
    for texts in copies:
        hook, cta = (fill(text, HELD) for text in texts)
        assert hook is not None
        assert cta is not None
        assert 5 <= len(hook) <= 30
        assert 1 <= len(cta) <= 24


def test_a_slot_without_a_value_is_never_drawn(net: Network) -> None:
    texts = [text for copy in drawn(net, ASK) for text in copy]
    marks = {char for text in texts for char in text if char in MARKS.values()}
    assert marks == {MARKS[slot] for slot in HELD}


def test_a_fact_stands_once_in_a_copy_and_a_name_once_in_a_field(net: Network) -> None:
    names = (MARKS["name"], MARKS["the_name"])
    twice = 0
    for copy in drawn(net, replace(ASK, room=60), replace(ASK, room=60)):
        whole = "".join(copy)
        assert whole.count(MARKS["price"]) <= 1
        assert all(sum(text.count(mark) for mark in names) <= 1 for text in copy)
        twice += sum(whole.count(mark) for mark in names) == 2
    assert twice


def test_the_same_state_gives_the_same_texts_and_another_gives_others(net: Network) -> None:
    assert drawn(net, ASK, seed=4) == drawn(net, ASK, seed=4)
    assert drawn(net, ASK, seed=4) != drawn(net, ASK, seed=5)


def test_low_top_p_draws_the_likeliest_only(net: Network) -> None:
    luck = Luck(temperature=1.0, top_p=1e-9)
    copies = sample(net, [[ASK]] * 20, size=len, luck=luck, rng=np.random.default_rng(1))
    assert len({str(copy) for copy in copies}) == 1


def test_a_copy_with_no_room_comes_to_nothing(net: Network) -> None:
    assert drawn(net, replace(ASK, room=2, least=2, values={})) == []


def test_putting_finished_texts_aside_changes_nothing_for_the_others(net: Network) -> None:
    memory, kept = net.remember(4), net.remember(2)
    asked = net.asked([[1]] * 4)
    rng = np.random.default_rng(0)
    for step in range(6):
        ids = rng.integers(1, len(PIECES), 4)
        rooms = np.full(4, 20 - step)
        whole = net.step(ids, rooms, asked, memory)
        part = net.step(ids[[1, 3]], rooms[:2], asked[:2], kept)
        np.testing.assert_allclose(whole[[1, 3]], part, rtol=1e-4, atol=1e-5)
    memory.keep(np.array([1, 3]))
    assert memory.length == 6
    np.testing.assert_allclose(memory.keys[:, :, :, :6], kept.keys[:, :, :, :6], atol=1e-5)


def test_what_was_seen_matters(net: Network) -> None:
    asked = net.asked([[1]])

    def after(*ids: int) -> object:
        memory = net.remember(1)
        steps = [net.step(np.array([at]), np.array([20]), asked, memory) for at in ids]
        return steps[-1].tolist()

    assert after(3, 4, 5) == after(3, 4, 5)
    assert after(3, 4, 5) != after(4, 3, 5)


@given(st.integers(-50, 2000))
@settings(max_examples=60)
def test_more_room_is_never_a_smaller_kind(room: int) -> None:
    assert 0 <= room_kind(room) <= room_kind(room + 1) < 96


def test_fill_begins_sentences_with_a_capital() -> None:
    the = MARKS["the_name"]
    values = {"the_name": "the Tin Mug", "name": "iPhone 7"}
    assert (
        fill(f"{the}. {the}? Meet {the}.", values) == "The Tin Mug. The Tin Mug? Meet the Tin Mug."
    )
    assert fill(f"¿{MARKS['name']}?", values) == "¿iPhone 7?"
    assert fill(f"{MARKS['price']}", values) is None


@pytest.mark.parametrize("fault", ["missing", "no weights", "not json", "short"])
def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path, fault: str) -> None:
    network(tmp_path)
    if fault == "missing":
        tmp_path /= "none"
    elif fault == "no weights":
        (tmp_path / WEIGHTS).write_bytes(b"")
    elif fault == "not json":
        (tmp_path / CARD).write_text("{")
    else:
        np.savez(tmp_path / WEIGHTS, pieces=np.zeros((2, 2), np.int8))
    with pytest.raises(BadInput, match="holds no house model"):
        Network.load(tmp_path)


def test_the_field_mark_is_no_text(net: Network) -> None:
    assert all(FIELD not in text for copy in drawn(net, ASK) for text in copy)
