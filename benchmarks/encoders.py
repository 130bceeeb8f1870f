"""What the static encoder is worth: likeness, clicks within tests, products, speed. Makes it, too.

    python -m benchmarks.encoders ../shared/data/upworthy/headlines.csv.gz \
        --catalog ../shared/data/catalog_bestbuy/ecommerce.json.gz --json out.json
    python -m benchmarks.encoders FILE --base all-MiniLM-L6-v2 \
        --make src/hookline/perceive/default/static.npz

The shipped vectors were drawn from all-MiniLM-L6-v2, which saw no click of these headlines.
`--base` names its Hugging Face folder and needs `pip install 'hookline[train]'`. `--tuned` draws
them from the encoder of the text prior instead, which was tuned on these very headlines, so that
what they then tell of clicks here is too good. The n-gram model beside them is fitted to the other
folds alone.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # speeds are those of one core

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from benchmarks.common import Bar, arguments, finish, terminal
from hookline.catalog import read_feed
from hookline.errors import BadInput
from hookline.past import PastTests, read_past_tests
from hookline.perceive.encoders import Cached, Encoder, ImageDescriptor, StaticEncoder
from hookline.perceive.encoders.base import unit
from hookline.perceive.encoders.packages import require
from hookline.perceive.encoders.static import LONGEST, VECTORS, VOCABULARY, StaticVectors
from hookline.perceive.encoders.wordpiece import WordPiece
from hookline.prior import DEFAULT
from hookline.prior.distil import COMMON, WIDTH, distil, piece_shares
from hookline.prior.encoder import Encoder as PriorEncoder
from hookline.prior.export import export
from hookline.prior.ngrams import NgramPrior
from hookline.stats import centred, expected_clicks

Array = NDArray[np.float64]

FOLDS = 5
STRENGTH = 0.05
"""Of the ridge, in mean squares of a feature."""
UNEXPLAINED = 0.05
"""Variance of the log ratio of a line that its text does not tell; a line counts by its inverse."""
LIKENESS, OWN, SHARED = 0.1, 0.03, 4.0
"""Variances of the log ratio of a line, as a test is learned from its own lines: what follows from
the vector, what does not, and what all lines of the test share."""
TEXT = 400
"""Letters of a description that are read."""
LINE = 48
"""Pieces of a headline that are counted, as many as the text prior reads."""

SAME = (
    ("A desk lamp that dims at a touch", "Reading light with tap control for brightness"),
    ("Wash these trousers at home", "Machine-washable pants"),
    ("Charge your phone twice on the go", "Power bank with two full refills for your mobile"),
    ("Sleep cool all summer", "Breathable bed sheets for hot nights"),
    ("Fits in your carry-on", "Cabin-size suitcase"),
    ("Fresh coffee in one minute", "Quick espresso machine"),
    ("Made from recycled bottles", "Sustainable fabric out of old plastic"),
    ("Send it back within 30 days", "Free returns for a month"),
    ("Grippy soles for wet trails", "Hiking boots that hold on slippery ground"),
    ("Gentle on sensitive skin", "Fragrance-free cream for delicate faces"),
    ("The laptop that lasts all day", "Notebook computer with a 20-hour battery"),
    ("A toy that teaches children to count", "Learning game with numbers for kids"),
    ("Grow herbs on your windowsill", "Indoor garden kit with basil and mint"),
    ("Hear every word of the movie", "Soundbar for clear dialogue on TV"),
    ("Ride to work without the sweat", "Electric bike for commuters"),
    ("Knives that stay sharp", "Kitchen blades that keep their edge"),
)
"""Pairs of lines that say the same in other words; they played no part in any choice."""


def main() -> int:
    """Runs it; 1 where a bar does not hold."""
    parser = arguments("benchmarks.encoders", __doc__ or "")
    parser.add_argument("file", type=Path, help="past tests")
    parser.add_argument("--catalog", type=Path, help="a product feed with descriptions")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--base", type=Path, help="folder of a BERT to draw vectors from")
    source.add_argument("--tuned", action="store_true", help="draw them from the text prior's")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"numbers in a vector ({WIDTH})")
    parser.add_argument("--make", type=Path, metavar="NPZ", help="draw the vectors and write them")
    options = parser.parse_args()
    drawn = options.base or options.tuned
    if not drawn and (options.make or options.width != WIDTH):
        parser.error("say what to draw the vectors from: --base FOLDER or --tuned")
    console = terminal()
    if not options.file.exists():
        console.print(f"{options.file} is absent: nothing measured")
        return 0
    tests = read_past_tests(options.file).tests
    reader = WordPiece.load(VOCABULARY, max_length=LONGEST + 2)
    vectors = StaticVectors.load(VECTORS)
    if drawn:
        base = _untuned(options.base) if options.base else PriorEncoder.load(DEFAULT)
        vectors = _made(base, tests.texts, options.width, console)
    if options.make:
        vectors.save(options.make)
        console.print(f"written to {options.make}")
    shares = piece_shares(reader, tests.texts)
    encoder = StaticEncoder(reader, vectors)
    part = tests.take(np.arange(min(len(tests), 1500))) if options.quick else tests
    bars = [_size_bar(options.make or VECTORS), *_speed_bars(reader, vectors, tests.texts)]
    bars += [*_image_bars(options.seed), *_same_bars(encoder, reader, shares)]
    bars += _click_bars(encoder, part, console)
    if options.catalog and options.catalog.exists():
        bars += _product_bars(encoder, reader, shares, options.catalog)
    return finish(
        console,
        bars,
        out=options.json,
        seed=options.seed,
        result={"version": encoder.version, "width": encoder.width, "tests": len(part)},
    )


def _made(
    encoder: PriorEncoder, texts: Sequence[str], width: int, console: Console
) -> StaticVectors:
    """Vectors drawn from an encoder."""
    with Progress(console=console) as bar:
        task = bar.add_task("drawing the vectors", total=encoder.reader.size)
        return distil(
            encoder, texts, width=width, progress=lambda done: bar.update(task, completed=done)
        )


def _untuned(base: Path) -> PriorEncoder:
    """The encoder of a BERT as it is, with a head that says nothing."""
    model = require("transformers", "train").AutoModel.from_pretrained(base)
    weights = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    width = int(model.config.hidden_size)
    head = {
        "head.weight": np.zeros((1, width), dtype=np.float32),
        "head.bias": np.zeros(1, dtype=np.float32),
    }
    with TemporaryDirectory() as folder:
        export({**weights, **head}, base, Path(folder), max_length=LINE)
        return PriorEncoder.load(Path(folder))


def _told(name: str, value: float) -> Bar:
    return Bar(name=name, value=value, target="for information")


# --- size and speed ----------------------------------------------------------------------------


def _size_bar(path: Path) -> Bar:
    size = path.stat().st_size / 1e6
    return Bar(name="megabytes on disk", value=size, target="<= 2.5", holds=size <= 2.5)


def _speed_bars(reader: WordPiece, vectors: StaticVectors, texts: Sequence[str]) -> list[Bar]:
    many = texts[:20_000]

    def fresh() -> StaticEncoder:
        """One that has met no word yet."""
        return StaticEncoder(WordPiece.load(VOCABULARY, max_length=reader.max_length), vectors)

    encoder, *more = (fresh() for _ in range(3))
    rate = len(many) / min(_seconds(lambda one=one: one.encode(many)) for one in (encoder, *more))
    again = len(many) / min(_seconds(lambda: encoder.encode(many)) for _ in range(3))
    cached = Cached(encoder)
    new = [_seconds(lambda text=text: cached.encode([text])) for text in texts[20_000:25_000]]
    old = [_seconds(lambda text=text: cached.encode([text])) for text in texts[20_000:25_000]]
    return [
        Bar(name="texts/s, new words", value=rate, target=">= 20000", holds=rate >= 20_000),
        Bar(name="texts/s, known words", value=again, target=">= 20000", holds=again >= 20_000),
        _told("µs for one new text, median", statistics.median(new) * 1e6),
        _told("µs for one cached text, median", statistics.median(old) * 1e6),
        _told("seconds to load", min(_seconds(StaticEncoder.open) for _ in range(3))),
    ]


def _image_bars(seed: int) -> list[Bar]:
    """The descriptor's time on a noisy JPEG of a feed's usual size; none without Pillow."""
    try:
        descriptor = ImageDescriptor.open()
    except BadInput:
        return []
    pillow = require("PIL.Image", "image")
    pixels = np.random.default_rng(seed).integers(0, 256, (1000, 1000, 3), dtype=np.uint8)
    file = BytesIO()
    pillow.fromarray(pixels).save(file, "JPEG")
    spent = [_seconds(lambda: descriptor.look(file.getvalue())) for _ in range(9)]
    return [_told("ms for a picture of 1000 × 1000, median", statistics.median(spent) * 1e3)]


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


# --- likeness ----------------------------------------------------------------------------------


def _same_bars(encoder: Encoder, reader: WordPiece, shares: Array) -> list[Bar]:
    """How like are lines that say the same, and is the other one the nearest of all."""
    left, right = ([pair[side] for pair in SAME] for side in (0, 1))
    cosines = encoder.encode(left) @ encoder.encode(right).T
    words = _words_alone(left, right, reader, shares)
    others = cosines[~np.eye(len(SAME), dtype=bool)]
    return [
        _told("cosine of lines that say the same", float(np.diag(cosines).mean())),
        _told("cosine of lines that do not", float(others.mean())),
        _told("nearest of 16 says the same, static", _found(cosines)),
        _told("the same by common words alone", _found(words)),
    ]


def _found(likeness: NDArray[np.floating]) -> float:
    """Share of rows whose own column is the largest; ties are no find."""
    own = np.diag(likeness)[:, None]
    return float(((likeness >= own).sum(axis=1) == 1).mean())


def _words_alone(
    left: Sequence[str], right: Sequence[str], reader: WordPiece, shares: Array
) -> NDArray[np.float32]:
    """Cosines of texts by the pieces they share, weighed as in the vectors: (left, right)."""
    found = [reader.ids(text)[1:-1] for text in (*left, *right)]
    rows = np.repeat(np.arange(len(found)), [len(own) for own in found])
    pieces, columns = np.unique([piece for own in found for piece in own], return_inverse=True)
    bag = np.zeros((len(found), len(pieces)), dtype=np.float32)
    np.add.at(bag, (rows, columns), (COMMON / (COMMON + shares))[pieces[columns]])
    alone = unit(bag)
    return alone[: len(left)] @ alone[len(left) :].T


# --- clicks ------------------------------------------------------------------------------------


def _click_bars(encoder: Encoder, tests: PastTests, console: Console) -> list[Bar]:
    """Correlation, within tests, of what is foretold from other folds with what was clicked."""
    clicks, shown = tests.clicks.astype(np.float64), tests.impressions.astype(np.float64)
    told = expected_clicks(clicks, shown, np.zeros_like(clicks), tests.starts)
    weights = 1 / (UNEXPLAINED + 1 / told)
    target = centred(np.log((clicks + 0.5) / (told + 0.5)), weights, tests.starts)
    rows = encoder.encode(tests.texts).astype(np.float64)
    features = np.stack([centred(row, weights, tests.starts) for row in rows.T], axis=1)
    folds = tests.folds(FOLDS, seed=0)
    lines = np.repeat(folds, tests.sizes)
    ridge, plain = np.zeros(len(target)), np.zeros(len(target))
    with Progress(console=console) as bar:
        task = bar.add_task("clicks within tests", total=FOLDS)
        for fold in range(FOLDS):
            others, own = lines != fold, np.flatnonzero(lines == fold)
            slopes = _ridge(features[others], target[others], weights[others])
            ridge[own] = features[own] @ slopes
            model = NgramPrior.fit(tests.take(np.flatnonzero(folds != fold)))
            plain[own] = model.score([tests.texts[row] for row in own])
            bar.advance(task)
    plain = centred(plain, weights, tests.starts)

    def correlation(score: Array) -> float:
        return float(
            (weights @ (score * target)) / np.sqrt((weights @ score**2) * (weights @ target**2))
        )

    return [
        _told("correlation within tests: static, ridge", correlation(ridge)),
        _told("correlation within tests: n-grams", correlation(plain)),
        _told("correlation within tests: sum of both", correlation(ridge + plain)),
        _told("correlation with what the test's other lines tell", _likeness(rows, tests, told)),
    ]


def _likeness(rows: Array, tests: PastTests, told: Array) -> float:
    """What the vectors are worth to somebody who knows the clicks of one test and no other.

    Each line of a test of three or more is foretold from the clicks on the others, by a Gaussian
    process over the vectors; what the others' plain mean foretells is taken off both sides.
    """
    seen = np.log((tests.clicks + 0.5) / (told + 0.5))
    sums = np.zeros(3)
    for size in range(3, int(tests.sizes.max()) + 1):
        lines = tests.starts[:-1][tests.sizes == size][:, None] + np.arange(size)
        chance = (OWN + 1 / told[lines])[:, :, None] * np.eye(size)
        vectors = rows[lines]
        alike = LIKENESS * vectors @ vectors.transpose(0, 2, 1)
        plain, _ = _left_out(chance + LIKENESS * np.eye(size), seen[lines])
        found, weights = _left_out(chance + alike, seen[lines])
        more, rest = found - plain, seen[lines] - plain
        sums += [(weights * each).sum() for each in (more * rest, more**2, rest**2)]
    return float(sums[0] / np.sqrt(sums[1] * sums[2]))


def _left_out(covariance: Array, seen: Array) -> tuple[Array, Array]:
    """What each line is foretold as from the others of its test, and how surely.

    Args:
        covariance: Of the lines of each test, what they share apart: (tests, lines, lines).
        seen: What was seen of them, shape (tests, lines).

    Returns:
        Means and precisions, both shaped as `seen` (Rasmussen and Williams 2006, section 5.4.2).
    """
    precision: Array = np.asarray(np.linalg.inv(covariance + SHARED), dtype=np.float64)
    own = np.diagonal(precision, axis1=1, axis2=2)
    return seen - (precision @ seen[:, :, None])[:, :, 0] / own, own


def _ridge(features: Array, target: Array, weights: Array) -> Array:
    """The slopes, held to 0 by so much of the mean square of a feature."""
    weighed = (features * weights[:, None]).T
    square: Array = weighed @ features
    held = square + STRENGTH * float(np.trace(square)) / len(square) * np.eye(len(square))
    return np.asarray(np.linalg.solve(held, weighed @ target), dtype=np.float64)


# --- products ----------------------------------------------------------------------------------


def _product_bars(encoder: Encoder, reader: WordPiece, shares: Array, catalog: Path) -> list[Bar]:
    """Is a product's own description the one nearest to its title: mean reciprocal rank."""
    products = [product for product in read_feed(catalog).products if product.description]
    titles = [product.title for product in products]
    descriptions = [product.description[:TEXT] for product in products]
    vectors = encoder.encode(titles) @ encoder.encode(descriptions).T
    words = _words_alone(titles, descriptions, reader, shares)
    return [
        _told(f"title → description of {len(products):,}, static", _mean_rank(vectors)),
        _told("the same by common words alone", _mean_rank(words)),
        _told("the same by chance", float((1 / np.arange(1, len(products) + 1)).mean())),
    ]


def _mean_rank(likeness: NDArray[np.floating]) -> float:
    ranks = 1 + (likeness > np.diag(likeness)[:, None]).sum(axis=1)
    return float((1 / ranks).mean())


if __name__ == "__main__":
    sys.exit(main())
