"""How good a house model is: surprise at held-out texts, and what its copy is worth.

Everything is measured on the model as it ships, in 8 bits, and on products that it has not seen.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from random import Random

import numpy as np

from hookline.errors import WriterFailed
from hookline.guards import GUARDS, check_all, guards_named
from hookline.house.batches import Line, line_of, stacked
from hookline.house.pairs import draw_brief
from hookline.house.pieces import Pieces
from hookline.house.rows import RUN, Row, sentences_of
from hookline.recognise import as_asked
from hookline.types import Brief, Draft, Product
from hookline.writers.house import House
from hookline.writers.house.asked import LANGUAGES, asks, see, sizer
from hookline.writers.house.network import Network
from hookline.writers.house.sampler import Luck, sample
from hookline.writers.phrasebook.bank import load_bank


@dataclass(frozen=True, kw_only=True, slots=True)
class Surprise:
    """How well the model foretells texts that it has not seen.

    Attributes:
        texts: Texts measured.
        perplexity: Of a piece: e to the mean surprise in nats.
        bits_per_byte: Bits a byte of text, a slot counting as one byte.
    """

    texts: int
    perplexity: float
    bits_per_byte: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Worth:
    """What the copy for a number of briefs is worth.

    Attributes:
        briefs: Briefs asked, one copy each.
        written: Share of them that got a copy.
        passing: Share of the copies that every guard passes, at the first try.
        faults: Guard's code → copies it faulted, most often first.
        controlled: Attribute → share of copies recognised to have the level asked for.
        fresh: Share of sentences drawn that were not learned from word for word.
        repeating: Share of copies drawn that have more than `RUN` words in a row of one sentence
            that was.
        per_second: Texts of a field written a second on one core, eight drafts a brief.
        examples: Copies, one a language and channel, as (language, channel, text).
    """

    briefs: int
    written: float
    passing: float
    faults: Mapping[str, int]
    controlled: Mapping[str, float]
    fresh: float
    repeating: float
    per_second: float
    examples: Sequence[tuple[str, str, str]]


def surprise(network: Network, rows: Sequence[Row], *, most: int, seed: int) -> Surprise:
    """The model's surprise at rows, or at `most` of them.

    Args:
        network: The model.
        rows: Held-out rows.
        most: Most rows to measure on.
        seed: Of which they are.
    """
    chosen = Random(seed).sample(list(rows), min(most, len(rows)))
    pieces = Pieces(network.build.pieces)
    ids = {name: at for at, name in enumerate(network.build.conditions)}
    known = [row for row in chosen if _conditions(row) <= ids.keys()]
    lines = [line for row in known if (line := line_of(row, pieces, ids, network.build.places))]
    lines.sort(key=lambda line: len(line.rooms))
    nats = sum(_nats(network, lines[at : at + 64]) for at in range(0, len(lines), 64))
    return Surprise(
        texts=len(lines),
        perplexity=exp(nats / sum(len(line.rooms) for line in lines)),
        bits_per_byte=nats / log(2) / sum(line.bytes for line in lines),
    )


def worth(
    writer: House,
    products: Sequence[Product],
    learned: Sequence[Row],
    *,
    briefs: int,
    seed: int,
    languages: Sequence[str] = LANGUAGES,
) -> Worth:
    """What copy of the writer is worth.

    Args:
        writer: The writer.
        products: Held-out products to write about.
        learned: Rows it has learned from.
        briefs: How many briefs to draw.
        seed: Of the briefs and the copy.
        languages: Languages to write, in turn.
    """
    drawn = list(draw_briefs(products, briefs, seed=seed, languages=languages))
    guards = guards_named(GUARDS)
    faults: Counter[str] = Counter()
    agree: Counter[str] = Counter()
    examples: dict[tuple[str, str], str] = {}
    written = passing = 0
    for brief in drawn:
        for draft in _tried(writer, brief, 1, seed):
            written += 1
            verdicts = check_all(guards, draft.parts, brief)
            faults.update({verdict.code for verdict in verdicts if not verdict.ok})
            passing += all(verdict.ok for verdict in verdicts)
            agree.update(name for name, ok in as_asked(draft.parts, brief).items() if ok)
            examples.setdefault((brief.locale, brief.channel.id), " | ".join(draft.parts.values()))
    fresh, repeating = _echo(writer.network, drawn, learned, seed=seed)
    return Worth(
        briefs=briefs,
        written=written / briefs,
        passing=passing / max(written, 1),
        faults=dict(faults.most_common(8)),
        controlled={name: count / max(written, 1) for name, count in sorted(agree.items())},
        fresh=fresh,
        repeating=repeating,
        per_second=_pace(writer, drawn[:60], seed=seed),
        examples=[(*key, text) for key, text in sorted(examples.items())],
    )


def draw_briefs(
    products: Sequence[Product], count: int, *, seed: int, languages: Sequence[str]
) -> Iterator[Brief]:
    """Briefs about the products that can be named, in each language in turn."""
    rng = Random(seed)
    motives = sorted(load_bank().people.keys() - {"any"})
    made = 0
    while made < count:
        brief = draw_brief(rng.choice(products), motives, rng, languages[made % len(languages)])
        if see(brief).subject.naming.names:
            made += 1
            yield brief


def _tried(writer: House, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
    """The writer's drafts; none where it gave up."""
    try:
        return writer.write(brief, n, seed)
    except WriterFailed:
        return ()


def _conditions(row: Row) -> set[str]:
    return set(row.conditions) | {name for spot in row.fields for name in spot.conditions}


def _nats(network: Network, lines: Sequence[Line]) -> float:
    """The surprise at all pieces of the lines."""
    batch = stacked(lines)
    memory = network.remember(len(lines))
    table = network.asked([[at] for at in range(len(network.build.conditions))])
    whole = table[batch["conditions"]].sum(1)
    kinds = table[batch["kinds"]].sum(1)
    nats = 0.0
    for at in range(batch["pieces"].shape[1]):
        asked = whole + kinds[batch["fields"][:, at]]
        logits = network.step(batch["pieces"][:, at], batch["rooms"][:, at], asked, memory)
        logits = logits - logits.max(-1, keepdims=True)
        told = np.flatnonzero(batch["next"][:, at] >= 0)
        likely = logits[told, batch["next"][told, at]]
        nats += float((np.log(np.exp(logits[told]).sum(-1)) - likely).sum())
    return nats


def _echo(
    network: Network, briefs: Sequence[Brief], learned: Sequence[Row], *, seed: int
) -> tuple[float, float]:
    """The share of sentences that are new, and of copies that repeat a long run of words."""
    texts = [text for row in learned for spot in row.fields for text in sentences_of(spot.text)]
    known, runs = set(texts), {run for text in texts for run in _runs(text)}
    new = sentences = repeating = copies = 0
    rng = np.random.default_rng(seed)
    for brief in briefs:
        seen = see(brief)
        proofs = seen.subject.proofs or (("", ""),)
        asked = [asks(brief, seen, proofs[0])]
        luck = Luck(temperature=network.build.temperature, top_p=House.TOP_P)
        for copy in sample(network, asked, size=sizer(brief.channel), luck=luck, rng=rng):
            said = [words for text in copy or () for words in sentences_of(text)]
            copies += bool(said)
            sentences += len(said)
            new += sum(words not in known for words in said)
            repeating += any(run in runs for words in said for run in _runs(words))
    return new / max(sentences, 1), repeating / max(copies, 1)


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every `RUN` + 1 words in a row."""
    for at in range(len(words) - RUN):
        yield tuple(words[at : at + RUN + 1])


def _pace(writer: House, briefs: Sequence[Brief], *, seed: int) -> float:
    """Texts a second of processor time, eight drafts a brief."""
    start, texts = time.process_time(), 0
    for brief in briefs:
        texts += sum(len(draft.parts) for draft in _tried(writer, brief, 8, seed))
    return texts / (time.process_time() - start)
