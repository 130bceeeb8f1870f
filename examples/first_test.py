"""The loop in twenty lines: a product, copy for an audience, a test, one visitor, the answer."""

from datetime import UTC, datetime

from hookline import sample
from hookline.app import open_app
from hookline.catalog import read_feed
from hookline.settings import read_settings
from hookline.types import Context, Experiment
from hookline.wire import CopyOrder

now, brand, savers = datetime.now(UTC), sample.brand(), sample.audiences()[0]
app = open_app(read_settings(database="sqlite://"))  # in memory; a file otherwise
app.desk.import_catalog(read_feed(sample.shop_path()), at=now)
app.desk.put_brand(brand, at=now)
app.desk.put_audience(savers, at=now)
product = app.desk.products()[0].id
order = CopyOrder(product_id=product, channels=["email"], audiences=[savers.id], brand=brand.id)
lines = [copy.id for copy in app.desk.write_copy(order, at=now).kept]  # written, then guarded
ours = app.desk.add_control(product_id=product, channel_id="email", brand_id=brand.id, at=now)
app.desk.review([*lines, ours.id], "approved", by="me", at=now)
test = Experiment(id="mail", name="Mail", product_id=product, channel_id="email", arms=())
people = [savers.id]
app.live.create_experiment(test, copy_ids=lines, control_id=ours.id, audience_ids=people, at=now)
app.live.move("mail", "review", at=now)
app.live.move("mail", "running", at=now)
served = app.live.decide("mail", Context(visitor_id="u1", traits={"segment": "saver"}, at=now))
print(served.arm.parts["subject"], f"(drawn with probability {served.propensity:.2f})")
click = {"messageId": "m1", "event": "Promotion Clicked", "userId": "u1"}
app.live.ingest([click | {"properties": {"decision_id": served.decision_id}}], at=now)
print(app.live.report(at=now).experiments[0].sentence)
