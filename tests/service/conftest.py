"""A Hookline with something to show."""

from pathlib import Path

import pytest

from conftest import NOW
from hookline import sample
from hookline.app import App, open_app
from hookline.catalog import read_feed
from hookline.settings import read_settings
from hookline.types import Context, Experiment
from hookline.wire import CopyOrder


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    """A Hookline with one running experiment, one waiting copy and a hostile product title."""
    monkeypatch.chdir(tmp_path)
    made = open_app(read_settings(database=f"sqlite:///{tmp_path}/pages.db", learn_every_s=0))
    feed = read_feed(sample.shop_path())
    made.desk.import_catalog(feed, at=NOW)
    made.desk.put_brand(sample.brand(), at=NOW)
    for audience in sample.audiences():
        made.desk.put_audience(audience, at=NOW)
    product = feed.products[0].id
    brand = sample.brand().id
    audiences = [audience.id for audience in sample.audiences()]
    asked = CopyOrder(
        product_id=product, channels=["onsite_banner"], audiences=audiences, brand=brand
    )
    kept = [copy.id for copy in made.desk.write_copy(asked, at=NOW).kept]
    line = {"headline": "<script>alert('x')</script>", "cta": "Shop & save"}
    control = made.desk.add_control(
        product_id=product, channel_id="onsite_banner", brand_id=brand, parts=line, at=NOW
    )
    made.desk.review([*kept[1:], control.id], "approved", at=NOW, by="test")
    draft = Experiment(
        id="hero", name="Hero <b>", product_id=product, channel_id="onsite_banner", arms=()
    )
    made.live.create_experiment(
        draft, copy_ids=kept[1:], control_id=control.id, audience_ids=audiences, at=NOW
    )
    made.live.move("hero", "review", at=NOW)
    made.live.move("hero", "running", at=NOW)
    for n in range(300):
        served = made.live.decide("hero", Context(visitor_id=f"v{n}", at=NOW))
        events = ["Promotion Viewed"] + ["Promotion Clicked"] * (n % 5 == 0)
        raws = [
            {
                "messageId": f"{name}{n}",
                "event": name,
                "userId": f"v{n}",
                "timestamp": NOW.isoformat(),
                "properties": {"decision_id": served.decision_id},
            }
            for name in events
        ]
        made.live.ingest(raws, at=NOW)
    made.live.learn()
    return made
