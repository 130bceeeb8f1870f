"""Every constant of the simulated world, in one table, each with where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hookline.errors import BadInput
from hookline.simulate.latent import Level, Taste, latent_types

Drift = Literal["none", "gradual", "abrupt", "seasonal"]
"""How tastes move: not, evenly on and on, in jumps, or there and back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameters:
    """All numbers of the simulated world, with the source of each.

    *Measured* means computed from the public data sets named, and computed again from the files
    by `tests/simulate/test_calibration.py`; *assumed* means that nothing at hand says it.

    Attributes:
        personal: Whether types differ in taste. If not, every shopper has the average taste, so
            the same copy is best for everybody and no personalisation can win.
        drift: How the types' tastes move. `gradual`: each moves evenly into the next type's
            within `drift_days`, then on into the one after that, round and round. `abrupt`: at
            every multiple of `drift_days` each jumps to the next one's. `seasonal`: along a
            cosine to the next one's within `drift_days`, and back in as many. Assumed.
        drift_days: Days that one such move takes. Assumed.
        restless: Chance that a shopper changes to another latent type for good within 30 days,
            at any time alike; at most once. What the shop sees of them stays as it was. Assumed.
        wear: Click rate is multiplied by this for each earlier showing of the very same copy to
            the same shopper; 1 for copy that never wears out. Assumed.
        wear_days: Days after which an earlier showing counts for half of one. Assumed.
        click_rate: Channel → click probability of a neutral line. `email` .167: visits after an
            e-mail, Hillstrom, measured. `onsite_banner` .106: Hillstrom's customers without an
            e-mail, measured, but that it carries over to a banner is assumed. `meta_feed` .0061:
            link clicks per impression, Facebook ads, measured. The others are assumed.
        click_minutes: Channel → median minutes from impression to click. Assumed.
        click_minutes_log_sd: Spread of these delays, log scale. Assumed.
        quirk_sd: Relative sd of click rate between copies, beyond what their attributes explain.
            .22: within-test sd of log CTR over Upworthy's arms with at least 20 clicks, noise
            removed, measured (.13 to .28 for cut-offs of 100 to 5 clicks).
        wording: Share of a quirk's variance that its words carry, from 0 to 1; the rest is the
            line's own luck. Above 0 a writer can learn from one line what to write in the next.
            Assumed; words alone forecast a part of real headlines' clicks (docs/prior.md).
        machine_level: Click rate of an average machine-written copy relative to a neutral human
            line. Assumed.
        taste_span: Bound of the taste effect: no copy moves a type's click rate by more than
            this share, since likes saturate. Assumed.
        taste_strength: Factor on all likes of the latent types. Assumed.
        appeal_sd: Log sd of what each attribute level does to everybody alike in this shop, drawn
            by its seed. With 0 copy differs for the average shopper by its quirk nearly alone;
            .06 and a `quirk_sd` of .16 make the same .22 together. Assumed.
        fashion_sd: The same, but for a time only: it drifts as tastes do, with a new draw at every
            move; where tastes stand still so does the fashion. Assumed.
        tastes: The latent types. Assumed.
        mobile_length: Log effect of `short` on a mobile device, and of `full` with the sign
            turned. Assumed.
        ages: Age band → share of shoppers; impressions by age, Facebook ads, measured.
        age_clicks: Age band → click rate relative to the mean; link clicks per impression by
            age, Facebook ads, measured (.31 % at 18-24 to 2.07 % at 65+).
        age_damping: Power that `age_clicks` is raised to: customers of one shop differ less than
            the readers of an ad. Assumed.
        age_missing: Share of shoppers whose age band is unknown. Assumed.
        returning: Share of shoppers who bought before; not `newbie`, Hillstrom, measured.
        returning_clicks: Click rate of returning over new shoppers; Hillstrom, measured.
        appetite_sd: Relative sd of click rate between shoppers that no trait shows: what age,
            `returning` and device leave of the .45 that Hillstrom's visit rate varies between
            4,692 customer cells, noise removed, measured.
        devices: Device → share of visits. Assumed.
        device_clicks: Device → click rate relative to the others. Assumed.
        device_loyalty: Share of visits a shopper makes on the usual device. Assumed.
        evening_visits: Swing of arrivals over the day, peak at 20 h UTC. Assumed.
        evening_clicks: Swing of click rate over the day, same peak. Assumed.
        fatigue: Click rate is multiplied by this for each earlier visit of the same shopper to
            the same place. Assumed.
        fatigue_floor: Fatigue never takes the click rate below this share. Assumed.
        visits_per_shopper: Mean visits of a shopper in one call of `visits`. Assumed.
        place_loyalty: Share of visits that go to the shopper's own place. Assumed.
        order_after_click: Probability of an order after a click; conversions per visit after an
            e-mail, Hillstrom, measured.
        order_without_click: Probability of an order by a shopper who did not click. Assumed.
        order_per_past_order: Relative rise of the order probability with each past order.
            Assumed; Hillstrom's rises from .060 to .102 over classes of past spend.
        past_orders_mean: Mean past orders of a returning shopper. Assumed.
        follow_through: Attribute level → factor on the order probability after a click, for copy
            that promises more or less than it keeps. Assumed.
        order_minutes: Median minutes from click (or visit) to order. Assumed.
        order_minutes_log_sd: Spread of it, log scale. Assumed.
        basket_log_sd: An order is worth the product's price times a lognormal with median 1 and
            this log sd, never less than the price. .84: log sd of spend given conversion,
            Hillstrom, measured, n = 578.
        fallback_price: Price, US dollars, of a product in a shop without any price: median
            spend given conversion, Hillstrom, measured.
        refund: Share of orders given back in full. Assumed.
        refund_days: Median days from order to refund. Assumed.
        unsubscribe: Probability of leaving the list after a message on `email`, `sms` or
            `push`. Assumed.
        late: Share of events that arrive late. Assumed.
        late_hours: Median hours of that delay; log sd 1, so 2 % are later than 2.5 days. Assumed.
        duplicates: Share of events sent twice. Assumed.
    """

    personal: bool = True
    drift: Drift = "none"
    drift_days: float = 30.0
    restless: float = 0.0
    wear: float = 1.0
    wear_days: float = 14.0
    click_rate: Mapping[str, float] = field(
        default_factory=lambda: {
            "onsite_banner": 0.106,
            "email": 0.167,
            "sms": 0.08,
            "push": 0.04,
            "google_rsa": 0.03,
            "meta_feed": 0.0061,
            "meta_description": 0.03,
        }
    )
    click_minutes: Mapping[str, float] = field(
        default_factory=lambda: {
            "onsite_banner": 0.15,
            "email": 45.0,
            "sms": 4.0,
            "push": 8.0,
            "google_rsa": 0.1,
            "meta_feed": 0.1,
            "meta_description": 0.1,
        }
    )
    click_minutes_log_sd: float = 1.1
    quirk_sd: float = 0.22
    wording: float = 0.0
    machine_level: float = 0.98
    taste_span: float = 0.4
    taste_strength: float = 1.0
    appeal_sd: float = 0.0
    fashion_sd: float = 0.0
    tastes: Mapping[str, Taste] = field(default_factory=latent_types)
    mobile_length: float = 0.05
    ages: Mapping[str, float] = field(
        default_factory=lambda: {
            "18-24": 0.192,
            "25-34": 0.374,
            "35-44": 0.206,
            "45-54": 0.063,
            "55-64": 0.079,
            "65+": 0.086,
        }
    )
    age_clicks: Mapping[str, float] = field(
        default_factory=lambda: {
            "18-24": 0.504,
            "25-34": 0.643,
            "35-44": 0.760,
            "45-54": 1.195,
            "55-64": 1.762,
            "65+": 3.386,
        }
    )
    age_damping: float = 0.5
    age_missing: float = 0.3
    returning: float = 0.498
    returning_clicks: float = 1.361
    appetite_sd: float = 0.22
    devices: Mapping[str, float] = field(
        default_factory=lambda: {"mobile": 0.62, "desktop": 0.32, "tablet": 0.06}
    )
    device_clicks: Mapping[str, float] = field(
        default_factory=lambda: {"mobile": 0.95, "desktop": 1.1, "tablet": 1.0}
    )
    device_loyalty: float = 0.8
    evening_visits: float = 0.6
    evening_clicks: float = 0.08
    fatigue: float = 0.93
    fatigue_floor: float = 0.6
    visits_per_shopper: float = 1.6
    place_loyalty: float = 0.5
    order_after_click: float = 0.0637
    order_without_click: float = 0.001
    order_per_past_order: float = 0.06
    past_orders_mean: float = 2.5
    follow_through: Mapping[Level, float] = field(
        default_factory=lambda: {
            ("angle", "curiosity"): 0.85,
            ("urgency", "soft"): 0.97,
            ("proof", "price"): 1.08,
            ("proof", "spec"): 1.05,
        }
    )
    order_minutes: float = 25.0
    order_minutes_log_sd: float = 1.6
    basket_log_sd: float = 0.84
    fallback_price: float = 80.80
    refund: float = 0.08
    refund_days: float = 4.0
    unsubscribe: float = 0.002
    late: float = 0.04
    late_hours: float = 8.0
    duplicates: float = 0.03

    def __post_init__(self) -> None:
        if self.drift not in get_args(Drift):
            raise BadInput(f"drift is one of {', '.join(get_args(Drift))}, not {self.drift!r}")
        if not (self.drift_days > 0 and self.wear_days > 0):
            raise BadInput("drift_days and wear_days must be more than 0")
        if not 0 <= self.restless < 1:
            raise BadInput(f"restless is a chance from 0 to less than 1, not {self.restless}")
        if not 0 <= self.wording <= 1:
            raise BadInput(f"wording is a share from 0 to 1, not {self.wording}")
        if not 0 < self.wear <= 1:
            raise BadInput(f"wear is a factor over 0 and up to 1, not {self.wear}")
