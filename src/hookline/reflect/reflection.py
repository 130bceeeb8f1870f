"""The search for better advice, by the library `gepa`: marks in, a model's reflection out."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from hookline import extras
from hookline.errors import BadInput, WriterFailed
from hookline.prompts import MAX_CRAFT, Prompt, fenced, filled, load, with_craft
from hookline.reflect.exam import Exam, Mark
from hookline.types import Brief, as_json
from hookline.writers.dialogue import Message, Spoken, objection

Ask = Callable[[Sequence[Message], dict[str, object], int], Spoken]
"""Messages, JSON schema and seed → an answer; as `OpenAIWriter.ask`."""

CRAFT: Final = "craft"
AT_A_TIME: Final = 3
"""Briefs that one reflection looks at."""
_FORM: Final[dict[str, object]] = {
    "type": "object",
    "properties": {"diagnosis": {"type": "string"}, "advice": {"type": "string"}},
    "required": ["diagnosis", "advice"],
    "additionalProperties": False,
}


class _Reflection(msgspec.Struct):
    """What the model is to answer."""

    advice: str
    diagnosis: str = ""


def search(
    prompt: Prompt,
    exam: Exam,
    ask: Ask,
    *,
    teach: Sequence[Brief],
    choose: Sequence[Brief],
    calls: int,
    seed: int,
) -> Prompt:
    """The version with the best marks on `choose`; the prompt itself where none is better.

    Args:
        prompt: Where to start.
        exam: Marks drafts.
        ask: Asks the model that reflects.
        teach: Briefs whose marks are reflected on.
        choose: Briefs on which versions are compared.
        calls: Briefs written for, at most; a step begun is finished.
        seed: Of the order.

    Raises:
        BadInput: Where the library is missing.
        WriterFailed: Where the model that reflects fails, or answers wrongly twice.
        BudgetSpent: Where there is no money left to go on.
    """
    gepa = extras.require("gepa", "reflect", "reflecting")
    adapter = _Adapter(prompt, exam, ask, seed)
    found = gepa.optimize(
        seed_candidate={CRAFT: prompt.craft},
        trainset=list(teach),
        valset=list(choose),
        adapter=adapter,
        reflection_minibatch_size=min(AT_A_TIME, len(teach)),
        max_metric_calls=calls,
        stop_callbacks=adapter.has_failed,
        seed=seed,
        logger=_Silence(),
        track_best_outputs=False,
    )
    if adapter.failure is not None:
        raise adapter.failure
    best = found.best_candidate[CRAFT]
    return prompt if best == prompt.craft else with_craft(prompt, best)


class _Silence:
    """Takes the library's messages, which go nowhere."""

    def log(self, message: str) -> None:
        """Nothing."""


@dataclass
class _Batch:
    """Marks of one version on some briefs, as the library reads them."""

    outputs: list[tuple[str, ...]]
    scores: list[float]
    trajectories: list[Mark] | None
    objective_scores: list[dict[str, float]] | None = None
    num_metric_calls: int | None = None


class _Adapter:
    """What the library asks of us, by the names that it gives.

    The library goes on after most exceptions, and would ask again and again; so the first one is
    kept, and ends the search.
    """

    def __init__(self, prompt: Prompt, exam: Exam, ask: Ask, seed: int) -> None:
        self._prompt = prompt
        self._exam = exam
        self._ask = ask
        self._seed = seed
        self.failure: Exception | None = None

    def has_failed(self, state: object) -> bool:
        """Whether the search is to end, whatever its state."""
        del state
        return self.failure is not None

    @contextmanager
    def _noted(self) -> Generator[None]:
        """Keeps the first exception, and does nothing more after it."""
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def evaluate(
        self,
        batch: Sequence[Brief],
        candidate: Mapping[str, str],
        capture_traces: bool = False,  # noqa: FBT001, FBT002 - the library's order
    ) -> _Batch:
        """The marks of one version on some briefs."""
        own = candidate[CRAFT] == self._prompt.craft
        prompt = self._prompt if own else with_craft(self._prompt, candidate[CRAFT])
        with self._noted():
            marks = [self._exam.mark(prompt, brief) for brief in batch]
        return _Batch(
            outputs=[mark.texts for mark in marks],
            scores=[mark.score for mark in marks],
            trajectories=marks if capture_traces else None,
        )

    def make_reflective_dataset(
        self,
        candidate: Mapping[str, str],
        eval_batch: _Batch,
        components_to_update: Sequence[str],
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What there is to learn from the marks."""
        del candidate
        examples = [_example(mark) for mark in eval_batch.trajectories or ()]
        return dict.fromkeys(components_to_update, examples)

    def propose_new_texts(
        self,
        candidate: Mapping[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: Sequence[str],
    ) -> dict[str, str]:
        """The model's better advice."""
        del components_to_update
        with self._noted():
            return {CRAFT: self._better(candidate[CRAFT], reflective_dataset[CRAFT])}

    def _better(self, craft: str, examples: Sequence[Mapping[str, Any]]) -> str:
        """Better advice than this; an answer that can't be used is sent back once."""
        asked = load("reflect")
        slots = {"craft": craft, "examples": fenced(examples), "most": str(MAX_CRAFT)}
        messages: list[Message] = [
            ("system", filled(asked.system, slots)),
            ("user", filled(asked.user, slots)),
        ]
        problem = ""
        for _ in range(2):
            self._seed += 1
            answer = self._ask(messages, _FORM, self._seed)
            try:
                return with_craft(self._prompt, _advice(answer.text)).craft
            except (ValueError, BadInput) as wrong:
                problem = str(wrong)
                messages = objection(messages, answer.text, problem)
        raise WriterFailed(f"no better advice came: {problem}")


def _advice(text: str) -> str:
    """The advice in an answer.

    Raises:
        ValueError: What is wrong with the answer, in words for the model.
    """
    start, end = max(text.find("{"), 0), text.rfind("}")
    try:
        return msgspec.json.decode(text[start : end + 1], type=_Reflection).advice
    except msgspec.MsgspecError as wrong:
        raise ValueError(f"it is not the JSON asked for: {wrong}") from None


def _example(mark: Mark) -> dict[str, object]:
    """A mark as the model that reflects is shown it."""
    brief = mark.brief
    return {
        "asked": {
            "product": brief.product.title,
            "readers": f"{brief.audience.name}. {brief.audience.persona}",
            "channel": brief.channel.name,
            "attributes": as_json(brief.attributes),
        },
        "worked_before": list(brief.lessons),
        "written": list(mark.texts),
        "wrong": [*mark.faults, *filter(None, [mark.failure])],
        "passed": round(mark.passed, 3),
        "attributes_as_asked": round(mark.control, 3),
        "expected_to_beat": round(mark.promise, 3),
        "score": round(mark.score, 3),
    }
