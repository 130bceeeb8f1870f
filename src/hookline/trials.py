"""The experiments of one Hookline and every change to them.

A change is a pure step from experiment to experiment (`experiment`, `candidate`), kept as one
document and one audited row of the log, written together.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hookline import candidate as rival
from hookline import experiment as trial
from hookline.channels import channel as channel_named
from hookline.control import title_control
from hookline.errors import Refused, Unknown
from hookline.headstart import with_embeddings
from hookline.judgement import copy_id
from hookline.perceive.encoders import Encoder
from hookline.policies import make_policy
from hookline.prior import TextPrior
from hookline.store import Store, every, one
from hookline.types import (
    Action,
    Arm,
    Audience,
    Candidate,
    Copy,
    Experiment,
    ExperimentStatus,
    Product,
    Rule,
)


class Trials(ABC):
    """The experiments of one Hookline, whatever is done with them.

    Args:
        store: Where they are kept.
        prior: Gives the text prior that new experiments' lines are forecast by, when the first one
            needs it; None forecasts nothing.
        encoder: Gives the encoder of their embeddings, likewise; None leaves them without.
    """

    def __init__(
        self,
        store: Store,
        prior: Callable[[], TextPrior] | None,
        encoder: Callable[[], Encoder] | None,
    ) -> None:
        self._store = store
        self._prior = prior
        self._encoder = encoder
        self._changing = threading.Lock()
        self._experiments = {each.id: each for each in every(store, "experiment", Experiment)}

    @abstractmethod
    def _keep(self, experiment: Experiment, action: Action, at: datetime) -> None:
        """Writes the experiment as it now is, with the action; the caller holds `_changing`."""

    @abstractmethod
    def _catch_up(self) -> object:
        """Learns from what is new in the log."""

    @abstractmethod
    def _winner(self, experiment_id: str) -> str:
        """The line that the report says to ship; raises Refused where it names none."""

    @abstractmethod
    def _with_head_start(
        self, experiment: Experiment, earlier: Sequence[Experiment], prior: TextPrior | None
    ) -> Experiment:
        """The experiment with what earlier ones say of it, see `headstart`."""

    def create_experiment(
        self,
        draft: Experiment,
        *,
        copy_ids: Sequence[str],
        control_id: str,
        audience_ids: Sequence[str],
        at: datetime,
        by: str = "api",
    ) -> Experiment:
        """Stores a new experiment over approved copies; `draft.arms` and audiences are filled in.

        So are forecasts and embeddings of the lines, and what the policy should know of earlier
        tests.

        Raises:
            Refused: Where the id is taken or a copy is not approved.
            UnregisteredName: Where the policy is not registered.
            BadInput: Where a number makes no sense, or the encoder can't be loaded.
        """
        channel_named(draft.channel_id)
        one(self._store, "product", draft.product_id, Product)
        for post in trial.posts(draft).values():
            make_policy(*post)
        copies = [
            one(self._store, "copy", key, Copy) for key in dict.fromkeys((control_id, *copy_ids))
        ]
        for copy in copies:
            if (copy.product_id, copy.channel_id) != (draft.product_id, draft.channel_id):
                raise Refused(f"copy {copy.id} was written for another product or channel")
        made = replace(
            draft,
            arms=trial.arms_of(copies, control_id),
            audiences=tuple(one(self._store, "audience", key, Audience) for key in audience_ids),
            status="draft",
            started_at=None,
            shipped="",
            stand_in=None,
        )
        trial.check(made)
        prior = self._prior() if self._prior else None
        made = self._with_head_start(made, self.experiments(), prior)
        made = with_embeddings(made, self._encoder()) if self._encoder else made
        make_policy(made.policy, made.policy_params)
        with self._changing:
            if made.id in self._experiments:
                raise Refused(f"an experiment named {made.id!r} exists; choose another id")
            self._keep(made, Action(verb="create", subject=made.id, by=by, experiment=made), at)
        return made

    def move(
        self, experiment_id: str, to: ExperimentStatus, *, at: datetime, by: str = "api"
    ) -> Experiment:
        """Takes an experiment one step through its life.

        Raises:
            Unknown: Where there is none by that id.
            Refused: Where it can't take that step.
        """
        with self._changing:
            moved = trial.advance(self.experiment(experiment_id), to, at)
            if to == "running":
                self._check_approved(moved)
            self._keep(moved, Action(verb=to, subject=moved.id, by=by, experiment=moved), at)
        return moved

    def _check_approved(self, experiment: Experiment) -> None:
        for arm in experiment.arms:
            if arm.active and one(self._store, "copy", arm.id, Copy).status != "approved":
                raise Refused(f"copy {arm.id} is no longer approved; approve it before the start")

    def check_withdrawable(self, copy_ids: Sequence[str]) -> None:
        """Refuses to withdraw the control of a test that is not over: every fault falls to it.

        Raises:
            Refused: Naming the experiment.
        """
        for experiment in self.experiments():
            if experiment.control.id in copy_ids and experiment.status != "concluded":
                raise Refused(
                    f"copy {experiment.control.id} is the control of {experiment.id}; "
                    "conclude that experiment first"
                )

    def withdraw(self, copy_ids: Sequence[str], *, at: datetime, by: str) -> None:
        """Takes copies out of every test; from now on nobody is shown them."""
        with self._changing:
            for experiment in self.experiments():
                left = trial.without(experiment, copy_ids)
                if left != experiment:
                    action = Action(verb="withdraw", subject=left.id, by=by, experiment=left)
                    self._keep(left, action, at)

    def quarantine(self, copy_ids: Collection[str], *, at: datetime, by: str) -> None:
        """Takes copies out of every test until they are released; doing so twice changes nothing.

        A test whose control is among them pauses, and everybody gets the shop's own words from the
        feed as it is now, see `control.title_control`.
        """
        with self._changing:
            for experiment in self.experiments():
                bare = experiment.control.id in copy_ids
                stand_in = self._shops_words(experiment) if bare else None
                left = trial.held(experiment, copy_ids, stand_in)
                if left != experiment:
                    action = Action(verb="quarantine", subject=left.id, by=by, experiment=left)
                    self._keep(left, action, at)

    def _shops_words(self, experiment: Experiment) -> Arm:
        """What the feed itself says of the product, as a line for the experiment's channel."""
        product = one(self._store, "product", experiment.product_id, Product)
        channel = channel_named(experiment.channel_id)
        parts = title_control(product, channel)
        text = " | ".join(parts.values())
        return Arm(id=copy_id(channel, product, parts), text=text, parts=parts)

    def release(self, copy_ids: Sequence[str], *, at: datetime, by: str) -> None:
        """Puts copies back where quarantine took them out; what was paused stays paused."""
        with self._changing:
            for experiment in self.experiments():
                back = trial.released(experiment, copy_ids)
                if back != experiment:
                    action = Action(verb="release", subject=back.id, by=by, experiment=back)
                    self._keep(back, action, at)

    def set_rule(
        self, experiment_id: str, rule: Rule, *, at: datetime, by: str = "api"
    ) -> Experiment:
        """Sets when to ship and when to stop, before the start.

        Raises:
            Unknown: Where there is no such experiment.
            BadInput: Where a number makes no sense.
            Refused: Where it has run before.
        """
        action = Action(verb="rule", subject=experiment_id, by=by)
        return self._change(
            experiment_id, lambda present: trial.with_rule(present, rule), action, at
        )

    def retire(
        self,
        experiment_id: str,
        arm_ids: Sequence[str],
        *,
        at: datetime,
        by: str = "api",
        note: str = "",
    ) -> Experiment:
        """Takes lines out of one experiment; it pauses where only its control is left.

        Raises:
            Unknown: Where there is no such experiment, or it has no such line.
            Refused: Where a line is its control, or was taken out before.
        """
        action = Action(verb="retire", subject=experiment_id, by=by, note=note)
        return self._change(
            experiment_id, lambda present: trial.retired(present, arm_ids), action, at
        )

    def ship(
        self, experiment_id: str, arm_id: str = "", *, at: datetime, by: str = "api"
    ) -> Experiment:
        """Gives one line to everybody, the hold-out excepted as long as the experiment runs.

        Args:
            experiment_id: A running or concluded experiment.
            arm_id: The line; empty for the one the report says to ship.
            at: UTC time of the request.
            by: Who does it.

        Raises:
            Unknown: Where there is no such experiment, or it has no such line.
            Refused: Where it neither runs nor is concluded, or no line is named and none is proven.
        """
        line = arm_id or self._winner(experiment_id)
        action = Action(verb="ship", subject=experiment_id, by=by, note=line)
        return self._change(experiment_id, lambda present: trial.shipped(present, line), action, at)

    def unship(self, experiment_id: str, *, at: datetime, by: str = "api") -> Experiment:
        """Takes a shipped line back: the experiment goes on where it was.

        Raises:
            Unknown: Where there is no such experiment.
            Refused: Where no line is shipped.
        """
        action = Action(verb="unship", subject=experiment_id, by=by)
        return self._change(experiment_id, trial.unshipped, action, at)

    def try_candidate(
        self,
        experiment_id: str,
        policy: str,
        params: Mapping[str, float] | None = None,
        share: float = 0.0,
        *,
        at: datetime,
        by: str = "api",
    ) -> Experiment:
        """Puts a policy beside the experiment's own, or changes the present candidate's share.

        When it returns the candidate has learned all that the experiment has learned so far, and
        serves its share; until then the policy decides alone.

        Raises:
            Unknown: Where there is no such experiment.
            UnregisteredName: Where the policy is not registered.
            BadInput: Where a parameter or the share is outside its range.
            Refused: Where it has another candidate, runs under that policy itself, or is over.
        """
        asked = Candidate(policy=policy, params=dict(params or {}), share=share)
        make_policy(asked.policy, asked.params)
        experiment = self.experiment(experiment_id)
        bare = replace(experiment, policy=policy, policy_params=asked.params, candidate=None)
        told = self._with_head_start(bare, self._before(experiment), None)
        tried = self._change(
            experiment_id,
            lambda present: rival.with_candidate(present, asked, told.policy_params),
            Action(verb="candidate", subject=experiment_id, by=by, note=f"{policy} at {share}"),
            at,
        )
        self._catch_up()
        return tried

    def promote(self, experiment_id: str, *, at: datetime, by: str = "api") -> Experiment:
        """Has the candidate decide; the former policy goes on learning, ready for a rollback.

        Raises:
            Unknown: Where there is no such experiment.
            Refused: Where it has no candidate, was promoted before, or is over.
        """
        self._catch_up()  # so that a candidate named this moment has learned
        action = Action(verb="promote", subject=experiment_id, by=by)
        return self._change(experiment_id, rival.promoted, action, at)

    def rollback(self, experiment_id: str, *, at: datetime, by: str = "api") -> Experiment:
        """Takes all traffic back at once: from what was promoted, or from a canary.

        Raises:
            Unknown: Where there is no such experiment.
            Refused: Where there is nothing to roll back, or the experiment is over.
        """
        action = Action(verb="rollback", subject=experiment_id, by=by)
        return self._change(experiment_id, rival.rolled_back, action, at)

    def drop_candidate(self, experiment_id: str, *, at: datetime, by: str = "api") -> Experiment:
        """Lets the candidate go, with what it has learned.

        Raises:
            Unknown: Where there is no such experiment.
            Refused: Where it has none, or is over.
        """
        action = Action(verb="drop_candidate", subject=experiment_id, by=by)
        return self._change(experiment_id, rival.without_candidate, action, at)

    def _change(
        self,
        experiment_id: str,
        step: Callable[[Experiment], Experiment],
        action: Action,
        at: datetime,
    ) -> Experiment:
        with self._changing:
            changed = step(self.experiment(experiment_id))
            self._keep(changed, replace(action, experiment=changed), at)
        return changed

    def _before(self, experiment: Experiment) -> list[Experiment]:
        """The experiments made before this one, oldest first."""
        known = self.experiments()
        return known[: [each.id for each in known].index(experiment.id)]

    def experiment(self, experiment_id: str) -> Experiment:
        """The experiment by that id.

        Raises:
            Unknown: Where there is none.
        """
        try:
            return self._experiments[experiment_id]
        except KeyError:
            known = ", ".join(list(self._experiments)[:5]) or "none yet"
            raise Unknown(f"no experiment {experiment_id!r}; there are: {known}") from None

    def experiments(self) -> list[Experiment]:
        """Every experiment, in order of creation."""
        return list(self._experiments.values())
