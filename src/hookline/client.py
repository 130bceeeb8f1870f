"""The Python client a shop uses: decide, show, track; and what sets a test up.

`decide` never raises and never keeps a page waiting for long: when Hookline can't be reached it
gives the control copy back, with the reason. Tracked events wait in memory until `flush`, and stay
there if it fails; sending one twice is harmless.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx2
import msgspec

from hookline.errors import BadInput, HooklineError, Refused, StoreFailed, Unknown
from hookline.types import (
    Audience,
    Brand,
    Copy,
    CopyStatus,
    Experiment,
    ExperimentStatus,
    Report,
    Rule,
    Trait,
    as_json,
    dumps,
    loads,
)
from hookline.wire import (
    AddLine,
    Ask,
    AskBatch,
    By,
    Comparison,
    CopyOrder,
    Forget,
    Forgot,
    Imported,
    Learned,
    Move,
    NewCandidate,
    NewExperiment,
    NewRule,
    Receipt,
    Refusal,
    Retire,
    Review,
    Served,
    Ship,
    Written,
)

T = TypeVar("T")

BATCH = 500
"""Most events sent in one call."""
BATCH_BYTES = 2_000_000
"""Most bytes of events sent in one call, unless one event alone is larger."""
_SET_ASIDE = "urn:hookline:problem:set-aside"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """The copy to show.

    Attributes:
        parts: Channel field name → text.
        arm_id: Empty where Hookline could not be asked.
        decision_id: To track with; empty where the decision is not counted.
        token: To track with, beside the decision id.
        reason: Why this copy.
        attributes: Creative attributes; None for a human line.
    """

    parts: Mapping[str, str]
    arm_id: str = ""
    decision_id: str = ""
    token: str = ""
    reason: str = "unreachable"
    attributes: Mapping[str, str] | None = None


class Client:
    """A connection to one Hookline service.

    Args:
        base_url: For example `http://127.0.0.1:8000`.
        timeout_s: Seconds until a call is given up. A page waits this long at most; give more to a
            client that sets tests up, since writing copy can take minutes.
        http: A ready HTTP client, for tests or special transports; `base_url` is then unused.

    Attributes:
        at: Time sent with every call, for simulations; None sends none.
    """

    def __init__(
        self, base_url: str = "", *, timeout_s: float = 1.0, http: httpx2.Client | None = None
    ) -> None:
        self._http = http or httpx2.Client(base_url=base_url, timeout=timeout_s)
        self._waiting: list[bytes] = []
        self._flushing = threading.Lock()
        self.at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Sends what waits, and hangs up."""
        try:
            self.flush()
        finally:
            self._http.close()

    # --- for every visitor ---------------------------------------------------------------------

    def decide(  # noqa: PLR0913 - what is known of a visit, all by keyword
        self,
        experiment: str,
        visitor_id: str,
        *,
        control: Mapping[str, str],
        traits: Mapping[str, Trait] | None = None,
        device: str = "",
        visit_id: str = "",
        referrer: str = "",
        query: str = "",
        position: int = 0,
    ) -> Shown:
        """The copy for this visitor; `control` where Hookline can't be asked. Never raises.

        Args:
            experiment: Its id.
            visitor_id: Your own stable id of the visitor.
            control: What to show where there is no answer.
            traits: What is known about the visitor.
            device: For example `mobile`.
            visit_id: Your own id of the visit or message; needed where an experiment decides anew
                on every visit, or a page that is loaded again may show something else.
            referrer: Where the visitor came from.
            query: What the visitor searched for.
            position: How many pages of this visit came before.
        """
        ask = Ask(
            experiment=experiment,
            visitor_id=visitor_id,
            traits=dict(traits or {}),
            device=device,
            visit_id=visit_id,
            referrer=referrer,
            query=query,
            position=position,
        )
        try:
            return _shown(self._call("POST", "/v1/decide", Served, content=dumps(ask)))
        except (HooklineError, httpx2.HTTPError, msgspec.MsgspecError, TypeError) as error:
            return Shown(parts=control, reason=f"unreachable: {error}")

    def decide_batch(self, asks: Sequence[Ask]) -> list[Shown]:
        """The copy for many visitors at once, in order, as for a mailing.

        Raises:
            HooklineError: Where the service refuses.
        """
        body = dumps(AskBatch(asks=list(asks)))
        served = self._call("POST", "/v1/decide/batch", list[Served], content=body)
        return [_shown(each) for each in served]

    def track(
        self,
        event: str,
        visitor_id: str,
        *,
        shown: Shown | None = None,
        properties: Mapping[str, object] | None = None,
        message_id: str = "",
        at: datetime | None = None,
    ) -> None:
        """Notes an event, to be sent with the next `flush`.

        Args:
            event: A Segment or GA4 name, for example `Promotion Viewed`.
            visitor_id: The same id that was decided for.
            shown: What `decide` gave, for events on the copy itself.
            properties: For orders `order_id`, `revenue` and `currency`.
            message_id: The sender's own unique id; made here if empty.
            at: UTC time it happened; now if None.
        """
        link = {"decision_id": shown.decision_id, "decision_token": shown.token} if shown else {}
        self.send_later(
            {
                "type": "track",
                "event": event,
                "messageId": message_id or uuid4().hex,
                "userId": visitor_id,
                "timestamp": (at or self.at or datetime.now(UTC)).isoformat(),
                "properties": {**link, **(properties or {})},
            }
        )

    def send_later(self, raw: Mapping[str, object]) -> None:
        """Notes an event that is in the Segment shape already.

        Raises:
            BadInput: Where it is not JSON.
        """
        try:
            self._waiting.append(dumps(raw))
        except (TypeError, msgspec.MsgspecError) as error:
            raise BadInput(f"the event can't be sent as JSON: {error}") from None

    def flush(self) -> list[Receipt]:
        """Sends the noted events in order; those not acknowledged stay noted.

        Raises:
            HooklineError: Where the service refuses.
            httpx2.HTTPError: Where it can't be reached.
        """
        receipts: list[Receipt] = []
        with self._flushing:
            while batch := self._next_batch():
                receipts.append(self._send(batch))
                del self._waiting[: len(batch)]
        return receipts

    def _next_batch(self) -> list[bytes]:
        room, batch = BATCH_BYTES, list[bytes]()
        for event in self._waiting[:BATCH]:
            room -= len(event)
            if batch and room < 0:
                break
            batch.append(event)
        return batch

    def _send(self, batch: Sequence[bytes]) -> Receipt:
        body = b'{"batch":[' + b",".join(batch) + b"]}"
        response = self._request("POST", "/v1/events", content=body)
        if response.is_success:
            return loads(response.content, Receipt)
        problem = _problem(response)
        if problem.get("type") == _SET_ASIDE:  # kept there with the reason; no use sending again
            refusal = Refusal(message_id="", reason=str(problem.get("detail")))
            return Receipt(stored=0, duplicates=0, restored=0, set_aside=(refusal,))
        raise _error(response)

    # --- to set a test up ----------------------------------------------------------------------

    def import_catalog(
        self,
        name: str,
        data: bytes,
        *,
        currency: str = "USD",
        price_unit: str = "units",
        mapping: Mapping[str, str] | None = None,
        whole: bool = False,
        by: str = "api",
    ) -> Imported:
        """Imports a product feed; `whole` says that it is all the shop sells."""
        form = {
            "currency": currency,
            "price_unit": price_unit,
            "mapping": [f"{column}={field}" for column, field in (mapping or {}).items()],
            "whole": str(whole).lower(),
            "by": by,
        }
        return self._call("POST", "/v1/catalog", Imported, data=form, files={"file": (name, data)})

    def put_brand(self, brand: Brand) -> None:
        """Stores a brand kit."""
        self._call("PUT", f"/v1/brands/{brand.id}", Brand, content=dumps(brand))

    def put_audience(self, audience: Audience) -> None:
        """Stores an audience."""
        self._call("PUT", f"/v1/audiences/{audience.id}", Audience, json=as_json(audience))

    def write_copy(self, order: CopyOrder) -> Written:
        """Has copy written and guarded."""
        return self._call("POST", "/v1/copies/write", Written, json=asdict(order))

    def add_line(
        self, product_id: str, channel: str, brand: str, parts: Mapping[str, str] | None = None
    ) -> Copy:
        """Stores a human line; without `parts`, the shop's own words."""
        line = AddLine(
            product_id=product_id,
            channel=channel,
            brand=brand,
            parts=dict(parts) if parts else None,
        )
        return self._call("POST", "/v1/copies/lines", Copy, json=asdict(line))

    def review(
        self, copy_ids: Sequence[str], status: CopyStatus, *, by: str, note: str = ""
    ) -> list[Copy]:
        """Approves, rejects or retires copies."""
        word = Review(copy_ids=list(copy_ids), status=status, by=by, note=note)
        return self._call("POST", "/v1/copies/review", list[Copy], json=asdict(word))

    def create_experiment(self, experiment: NewExperiment) -> Experiment:
        """Stores an experiment as a draft."""
        return self._call("POST", "/v1/experiments", Experiment, json=asdict(experiment))

    def move(self, experiment: str, to: ExperimentStatus, *, by: str = "api") -> Experiment:
        """Takes an experiment one step through its life."""
        path = f"/v1/experiments/{experiment}/move"
        return self._call("POST", path, Experiment, json=asdict(Move(to=to, by=by)))

    def set_rule(self, experiment: str, rule: Rule, *, by: str = "api") -> Experiment:
        """Sets when to ship and when to stop; only before the start."""
        path = f"/v1/experiments/{experiment}/rule"
        return self._call("PUT", path, Experiment, json=asdict(NewRule(rule=rule, by=by)))

    # --- while it runs -------------------------------------------------------------------------

    def answers(self) -> bool:
        """Whether a Hookline service is there, sound or not."""
        try:
            response = self._request("GET", "/v1/health")
        except httpx2.TransportError:
            return False
        return response.status_code in {200, 503} and "status" in _problem(response)

    def retire(
        self, experiment: str, lines: Sequence[str], *, by: str = "api", note: str = ""
    ) -> Experiment:
        """Takes lines out of an experiment; it pauses where only its control is left."""
        body = asdict(Retire(lines=list(lines), by=by, note=note))
        return self._call("POST", f"/v1/experiments/{experiment}/retire", Experiment, json=body)

    def ship(self, experiment: str, line: str = "", *, by: str = "api") -> Experiment:
        """Gives one line to everybody; without `line`, the one the report says to ship."""
        path = f"/v1/experiments/{experiment}/ship"
        return self._call("POST", path, Experiment, json=asdict(Ship(line=line, by=by)))

    def unship(self, experiment: str, *, by: str = "api") -> Experiment:
        """Takes a shipped line back: the experiment goes on where it was."""
        path = f"/v1/experiments/{experiment}/unship"
        return self._call("POST", path, Experiment, json=asdict(By(by=by)))

    def experiments(self) -> list[Experiment]:
        """Every experiment."""
        return self._call("GET", "/v1/experiments", list[Experiment])

    def try_candidate(self, experiment: str, candidate: NewCandidate) -> Experiment:
        """Puts a policy beside the experiment's own, or changes the present candidate's share."""
        path = f"/v1/experiments/{experiment}/candidate"
        return self._call("PUT", path, Experiment, json=asdict(candidate))

    def drop_candidate(self, experiment: str, *, by: str = "api") -> Experiment:
        """Lets the candidate go, with what it has learned."""
        path = f"/v1/experiments/{experiment}/candidate"
        return self._call("DELETE", path, Experiment, params={"by": by})

    def compare_candidate(self, experiment: str) -> Comparison:
        """What the policy and its candidate would each have earned."""
        return self._call("GET", f"/v1/experiments/{experiment}/candidate", Comparison)

    def promote(self, experiment: str, *, by: str = "api") -> Experiment:
        """Has the candidate decide; the former policy learns on."""
        path = f"/v1/experiments/{experiment}/promote"
        return self._call("POST", path, Experiment, json=asdict(By(by=by)))

    def rollback(self, experiment: str, *, by: str = "api") -> Experiment:
        """Takes all traffic back at once: from what was promoted, or from a canary."""
        path = f"/v1/experiments/{experiment}/rollback"
        return self._call("POST", path, Experiment, json=asdict(By(by=by)))

    def forget(self, visitor_id: str, *, by: str = "api") -> Forgot:
        """Erases what policies remember of one visitor; the log keeps its rows."""
        body = asdict(Forget(visitor_id=visitor_id, by=by))
        return self._call("POST", "/v1/visitors/forget", Forgot, json=body)

    def learn(self) -> Learned:
        """Has the service learn now."""
        return self._call("POST", "/v1/learn", Learned)

    def report(self) -> Report:
        """What all experiments have come to."""
        return self._call("GET", "/v1/report", Report)

    def _call(self, method: str, path: str, kind: type[T], **body: Any) -> T:  # noqa: ANN401
        response = self._request(method, path, **body)
        if response.is_success:
            return loads(response.content, kind)
        raise _error(response)

    def _request(self, method: str, path: str, **body: Any) -> httpx2.Response:  # noqa: ANN401
        headers = {"Hookline-Sent-At": self.at.isoformat()} if self.at else {}
        return self._http.request(method, path, headers=headers, **body)


def _shown(served: Served) -> Shown:
    attributes = asdict(served.arm.attributes) if served.arm.attributes else None
    return Shown(
        parts=served.arm.parts,
        arm_id=served.arm.id,
        decision_id=served.decision_id,
        token=served.token,
        reason=served.reason,
        attributes=attributes,
    )


def _problem(response: httpx2.Response) -> dict[str, object]:
    """The problem document in a response; empty if there is none."""
    try:
        return loads(response.content, dict[str, object])
    except msgspec.DecodeError:
        return {}


def _error(response: httpx2.Response) -> HooklineError:
    """The service's problem document as the error it was."""
    detail = str(_problem(response).get("detail") or f"the service answered {response.status_code}")
    kinds = {404: Unknown, 409: Refused, 422: BadInput, 503: StoreFailed}
    return kinds.get(response.status_code, HooklineError)(detail)
