import pytest

from hookline.errors import UnregisteredName
from hookline.writers import WRITERS, Phrasebook, Writer, writer_named


def test_every_writer_stands_under_its_own_name() -> None:
    assert set(WRITERS) == {"phrasebook", "house", "openai", "transformers"}
    for name, writer in WRITERS.items():
        assert writer.name == name
        assert issubclass(writer, Writer)


def test_writer_is_found_by_name() -> None:
    assert writer_named("phrasebook") is Phrasebook


def test_unknown_writer_is_refused_with_the_near_name() -> None:
    with pytest.raises(UnregisteredName, match="did you mean 'phrasebook'"):
        writer_named("phrase_book")
