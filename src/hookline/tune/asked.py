"""What a writer is asked and what it is to answer, for a line that was tested.

Neither holds anything about a visitor: a prompt is made of the shop's own product, brand and
audience, an answer of the line's own words.
"""

from typing import Final

import regex

from hookline.brief import make_brief
from hookline.channels import channel as channel_named
from hookline.prompts import Prompt, of_text
from hookline.tune.logged import LoggedTest
from hookline.types import ATTRIBUTE_LEVELS, Arm, Attributes, dumps
from hookline.writers.dialogue import Message, opening

OPEN: Final = "- Angle, tone, call to action, proof, urgency, length: what these readers like best"
"""What is asked for where lines of different attributes are compared."""
_ATTRIBUTE: Final = regex.compile(
    rf"^.*\{{\{{(?:{'|'.join(ATTRIBUTE_LEVELS)})\}}\}}.*$\n?", regex.MULTILINE
)


def left_open(prompt: Prompt) -> Prompt:
    """The prompt without the lines that ask for creative attributes, and one that leaves them open.

    Which of two lines sells better says nothing about how well the second does what the first was
    asked for: compared under the first's prompt, a writer would learn that attributes matter, not
    what readers like.

    Examples:
        >>> from hookline.prompts import load
        >>> asked = left_open(load("write_copy"))
        >>> OPEN in asked.user, "{{tone}}" in asked.user
        (True, False)
    """
    first = _ATTRIBUTE.search(prompt.text)
    if first is None:
        return prompt
    rest = _ATTRIBUTE.sub("", prompt.text[first.end() :])
    return of_text(f"{prompt.name}_open", f"{prompt.text[: first.start()]}{OPEN}\n{rest}")


def question(
    logged: LoggedTest, audience_id: str, attributes: Attributes | None, prompt: Prompt
) -> tuple[Message, ...]:
    """The messages that ask for one line for these readers.

    Args:
        logged: Its product, channel and brand.
        audience_id: The readers.
        attributes: What the line was asked to have; None leaves it open.
        prompt: The prompt, as writers use it.

    Raises:
        BadInput: Where no copy could answer, see `make_brief`.
    """
    brief = make_brief(
        product=logged.product,
        audience=logged.audience(audience_id),
        channel=channel_named(logged.experiment.channel_id),
        brand=logged.brand,
        attributes=attributes or Attributes(),
    )
    asked = prompt if attributes is not None else left_open(prompt)
    return tuple(opening(asked, brief, 1))


def answer(arm: Arm) -> str:
    """The line as the writer would have to give it, the JSON that `dialogue.parse` reads."""
    return dumps({"drafts": [arm.parts]}).decode()
