import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookline.errors import BadInput
from hookline.perceive.encoders.wordpiece import MAX_WORD, WordPiece, words

PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "affable", "a", "##f"),
    *("5", "##0", "##%", "%", "!", "'", ",", "wi", "##wi", "##fi", "senor", "世", "σας", "##ς"),
    *("[", "]", "unk", "sep", "mask", "ab", "x", "##x"),
]
UNK, CLS, SEP = 1, 2, 3
READER = WordPiece(PIECES, max_length=12)
SHIPPED = Path(__file__).parents[2] / "src/hookline/prior/default/vocab.txt"


def read(text: str, *, max_length: int = 64) -> list[str]:
    """The pieces of a text, without the special ones around it."""
    ids = WordPiece(PIECES, max_length=max_length).ids(text)
    assert (ids[0], ids[-1]) == (CLS, SEP)
    return [PIECES[index] for index in ids[1:-1]]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("   \t\n", []),
        ("unaffable", ["un", "##aff", "##able"]),
        ("UNAFFABLE", ["un", "##aff", "##able"]),
        ("affable un", ["affable", "un"]),
        ("wiwifi", ["wi", "##wi", "##fi"]),
        ("50%", ["5", "##0", "%"]),
        ("a'a", ["a", "'", "a"]),
        ("a, a!", ["a", ",", "a", "!"]),
        ("Señor", ["senor"]),
        ("Sen\u0303or", ["senor"]),
        ("a世a", ["a", "世", "a"]),
        ("世世", ["世", "世"]),
        ("\U0001f600", ["[UNK]"]),
        ("a\U0001f600 a", ["[UNK]", "a"]),
        ("a\x00b", ["ab"]),
        ("a\ufffdb", ["ab"]),
        ("a\u200bb", ["ab"]),  # zero-width space: a format character
        ("a\x1cb", ["ab"]),  # a control that str.split takes for a space
        ("a\u00a0a\u2028a", ["a", "a", "a"]),
        ("[SEP]", ["[", "sep", "]"]),
        ("[MASK] [UNK]", ["[", "mask", "]", "[", "unk", "]"]),
        ("abc", ["[UNK]"]),  # "ab" is known, "##c" is not
        ("x" * MAX_WORD, ["x"] + ["##x"] * (MAX_WORD - 1)),
        ("x" * (MAX_WORD + 1), ["[UNK]"]),
    ],
)
def test_wordpiece_reads_as_bert_does(text: str, pieces: list[str]) -> None:
    assert read(text, max_length=200) == pieces


def test_wordpiece_leaves_out_half_a_surrogate_pair() -> None:
    assert read("a\ud800b") == ["ab"]


def test_wordpiece_keeps_a_last_sigma_like_any_other() -> None:
    # Lowered letter by letter: the whole word's lower case would end in "ς".
    assert list(words("ΣΑΣ")) == ["σασ"]


def test_wordpiece_cuts_a_long_text() -> None:
    ids = READER.ids("a " * 1000)
    assert ids == [CLS] + [PIECES.index("a")] * 10 + [SEP]
    assert READER.ids("a" * 20_000) == [CLS, UNK, SEP]
    assert READER.ids("!" * 20_000) == [CLS] + [PIECES.index("!")] * 10 + [SEP]


def test_wordpiece_reads_the_same_twice() -> None:
    reader = WordPiece(PIECES, max_length=12)
    first = reader.ids("unaffable 50%")
    first.append(99)
    assert reader.ids("unaffable 50%") == first[:-1]


@given(st.text(max_size=60))
def test_wordpiece_ids_frame_every_text(text: str) -> None:
    ids = READER.ids(text)
    assert 2 <= len(ids) <= 12
    assert (ids[0], ids[-1]) == (CLS, SEP)
    assert all(UNK <= index < len(PIECES) and index not in {CLS, SEP} for index in ids[1:-1])


@given(st.text(max_size=30), st.text(max_size=30))
def test_wordpiece_a_space_parts_texts(left: str, right: str) -> None:
    assert read(f"{left} {right}", max_length=500) == [
        *read(left, max_length=500),
        *read(right, max_length=500),
    ]


@given(st.text(alphabet=string.ascii_letters + string.punctuation + " éÜñ世", max_size=40))
def test_words_ignore_case_accents_and_nothing_else(text: str) -> None:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", text.lower())
        if unicodedata.category(letter) != "Mn"
    )
    assert "".join(words(text)) == plain.replace(" ", "")
    assert list(words(text)) == list(words(text.upper())) == list(words(plain))


@given(st.text(max_size=40))
def test_words_are_never_empty_and_hold_no_space(text: str) -> None:
    assert all(word and not any(letter.isspace() for letter in word) for word in words(text))


def test_wordpiece_load_reads_one_piece_a_line(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes("\r\n".join(PIECES).encode() + b"\r\n")
    reader = WordPiece.load(path, max_length=12)
    assert reader.size == len(PIECES)
    assert reader.ids("Señor 世!") == READER.ids("Señor 世!")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff", b"", b"[UNK]\n[CLS]\n"])
def test_wordpiece_load_says_what_is_wrong(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "vocab.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match="vocabulary"):
        WordPiece.load(path, max_length=12)


def test_wordpiece_needs_room_for_a_piece() -> None:
    with pytest.raises(BadInput, match="at least 3"):
        WordPiece(PIECES, max_length=2)


@pytest.mark.skipif(not SHIPPED.exists(), reason="no prior ships with this copy of Hookline")
def test_wordpiece_reads_the_shipped_vocabulary_as_its_model_did() -> None:
    # The ids that transformers' own tokenizer of all-MiniLM-L6-v2 gives.
    reader = WordPiece.load(SHIPPED, max_length=48)
    assert reader.size == 30_522
    assert reader.ids("Hello, world!") == [101, 7592, 1010, 2088, 999, 102]
    found = reader.ids("Naïve shoppers won't BELIEVE #7 日本 \U0001f600")
    assert found[:8] == [101, 15743, 4497, 7347, 2180, 1005, 1056, 2903]
    assert found[8:] == [1001, 1021, 1864, 1876, 100, 102]
