"""The shop as an environment: Gymnasium's own checks, its layout, its rewards and its truths."""

import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from hookline.errors import BadInput, Refused
from hookline.simulate import Parameters, Shop
from hookline.types import Arm, Attributes, Money, Product

gymnasium = pytest.importorskip(
    "gymnasium", reason="gymnasium is not installed; `pip install hookline[gym]` does it"
)

from gymnasium.utils.env_checker import check_env  # noqa: E402 - only where it is installed

from hookline.simulate.gym import CHANNEL, START, ShopEnv  # noqa: E402 - likewise

SLATE = (
    Arm(id="control", text="Tea?", parts={"headline": "Tea?"}, control=True),
    Arm(id="a", text="A", parts={"headline": "A"}, attributes=Attributes(angle="value")),
    Arm(id="b", text="B", parts={"headline": "B"}, attributes=Attributes(length="short")),
)
KETTLE = Product(id="kettle", title="Kettle", price=Money(amount=Decimal("30.00"), currency="EUR"))
LAMP = Product(id="lamp", title="Harbour Reading Lamp")


def env(**changed: Any) -> ShopEnv:
    arguments: dict[str, Any] = {"products": [KETTLE], "slate": SLATE, "visits": 300}
    return ShopEnv(**arguments | changed)


def played(world: ShopEnv, actions: Sequence[int], seed: int = 7) -> list[tuple[Any, ...]]:
    world.reset(seed=seed)
    return [world.step(np.int64(action)) for action in actions]


@pytest.mark.parametrize("drift", ["none", "abrupt"])
def test_env_passes_gymnasium_s_own_checks(drift: str) -> None:
    made = gymnasium.make("hookline.simulate.gym:hookline/Shop-v0", drift=drift, visits=50)
    check_env(made.unwrapped)
    assert made.spec.id == "hookline/Shop-v0"
    assert made.action_space.n == 8


def test_simulate_is_imported_without_gymnasium() -> None:
    code = "import sys, hookline.simulate; sys.exit('gymnasium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_env_does_the_same_twice_and_differs_by_seed() -> None:
    actions = [i % 3 for i in range(60)]

    def path(seed: int) -> list[tuple[Any, ...]]:
        steps = played(env(reward="revenue"), actions, seed)
        return [(row.tolist(), reward, info["events"]) for row, reward, *_, info in steps]

    assert path(7) == path(7)
    assert path(7) != path(8)


def test_env_without_a_seed_goes_on_to_another_world() -> None:
    world = env()
    first = world.reset(seed=3)[1]["visit"]
    second = world.reset()[1]["visit"]
    assert first.visit_id != second.visit_id
    assert world.reset(seed=3)[1]["visit"] == first
    assert world.reset()[1]["visit"] == second


def test_env_plays_the_shop_of_its_seed() -> None:
    world, shop = env(), Shop(7, [KETTLE], Parameters())
    visits = shop.visits(301, placements=[("kettle", CHANNEL)], start=START, days=30.0)
    _, info = world.reset(seed=7)
    for visit, action in zip(visits, [0, 1, 2] * 20, strict=False):
        arm = SLATE[action]
        assert info["visit"] == visit
        rates = [shop.expected_click(visit, one.parts, one.attributes) for one in SLATE]
        assert info["expected"] == pytest.approx(rates)
        _, reward, _, _, info = world.step(np.int64(action))
        assert (info["served"], info["arm"]) == (visit, arm)
        assert info["events"] == shop.respond(visit, arm.parts, arm.attributes)
        assert info["regret"] == pytest.approx(max(rates) - rates[action])
        assert reward == any(event.kind == "click" for event in info["events"])


def test_env_season_ends_after_its_visits() -> None:
    world = env(visits=5)
    steps = played(world, [0] * 5)
    assert [step[2:4] for step in steps] == [(False, False)] * 4 + [(False, True)]
    assert steps[-1][0] in world.observation_space
    with pytest.raises(Refused, match="reset"):
        world.step(np.int64(0))
    with pytest.raises(Refused, match="reset"):
        env().step(np.int64(0))


def test_env_visits_come_from_as_many_shoppers_as_asked() -> None:
    steps = played(env(shoppers=10), [0] * 300)
    assert len({info["served"].visitor_id for *_, info in steps}) == 10


def test_layout_names_every_number() -> None:
    world = env(products=[KETTLE, LAMP])
    row, info = world.reset(seed=7)
    slices = world.layout.slices
    assert [i for part in slices.values() for i in range(part.start, part.stop)] == list(
        range(len(row))
    )
    for _ in range(100):
        visit = info["visit"]
        at = {name: row[part].tolist() for name, part in slices.items()}
        assert at["segment"].index(1.0) == ["saver", "connoisseur", "explorer"].index(
            str(visit.traits["segment"])
        )
        assert at["device"].index(1.0) == ["mobile", "desktop", "tablet"].index(visit.device)
        assert at["product"].index(1.0) == ["kettle", "lamp"].index(visit.product_id)
        assert sum(at["age_band"]) == ("age_band" in visit.traits)
        assert at["returning"] == [float(visit.traits["returning"] is True)]
        assert at["day"] == pytest.approx([visit.day / 30])
        hour = np.arctan2(*at["hour"]) / (2 * np.pi) * 24 % 24
        assert hour == pytest.approx(visit.at.hour + visit.at.minute / 60, abs=1e-3)
        row, *_, info = world.step(np.int64(0))


def test_layout_codes_the_arms() -> None:
    row, _ = env().reset(seed=7)
    control, a, b = row[env().layout.slices["arms"]].reshape(3, 34)
    assert not control.any()
    assert a.sum() == b.sum() == 6
    assert (a != b).sum() == 4  # another angle, another length


def test_env_copy_that_was_shown_is_worn_and_seen_to_be() -> None:
    world = env(parameters=Parameters(wear=0.5), shoppers=1)
    row, info = world.reset(seed=7)
    part = world.layout.slices["worn"]
    assert not row[part].any()
    later, *_, after = world.step(np.int64(1))
    assert later[part][1] == pytest.approx(0.5, abs=0.05)
    assert later[part][[0, 2]].tolist() == [0.0, 0.0]
    kept = after["expected"] / info["expected"]
    assert kept[1] < 0.6 * kept[0]
    assert kept[2] == pytest.approx(kept[0])


@pytest.mark.parametrize("reward", ["click", "order", "revenue"])
def test_env_pays_what_is_expected_on_average(reward: str) -> None:
    busy = Parameters(order_after_click=0.4, refund=0.3, duplicates=0.3)
    world = env(reward=reward, visits=4000, parameters=busy)
    _, info = world.reset(seed=7)
    paid, expected = [], 0.0
    for _ in range(4000):
        expected += info["expected"][1]
        _, earned, *_, info = world.step(np.int64(1))
        paid.append(earned)
    assert abs(sum(paid) - expected) < 4.5 * np.std(paid) * np.sqrt(len(paid))


def test_env_made_slates_ask_the_same_of_every_product() -> None:
    world = ShopEnv(products=[KETTLE, LAMP])
    asked = {name: [arm.attributes for arm in slate] for name, slate in world.slates.items()}
    assert asked["kettle"] == asked["lamp"]
    assert len(set(asked["lamp"])) == 8
    assert asked["lamp"][0] is None
    assert world.slates["lamp"][0].text == "Harbour Reading Lamp"
    assert not {arm.text for arm in world.slates["lamp"]} & {
        arm.text for arm in world.slates["kettle"]
    }


@pytest.mark.parametrize("personal", [True, False])
def test_env_names_of_the_world_reach_it(personal: bool) -> None:
    world = env(drift="seasonal", personal=personal)
    assert world.parameters.drift == "seasonal"
    assert world.parameters.personal is personal
    kept = env(parameters=Parameters(drift="abrupt", personal=personal))
    assert kept.parameters.drift == "abrupt"
    assert kept.parameters.personal is personal


@pytest.mark.parametrize(
    "wrong",
    [
        {"products": []}, {"slate": SLATE[:1]}, {"reward": "praise"}, {"visits": 0},
        {"shoppers": 0}, {"days": 0.0}, {"drift": "wild"},
    ],
)  # fmt: skip
def test_env_refuses_bad_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        env(**wrong)
