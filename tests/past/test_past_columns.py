"""Which column is read as which field, guessed and told."""

import pytest

from hookline.errors import BadInput
from past.past_tables import HEADER, TWO, has, read, refusal


@pytest.mark.parametrize(
    "header",
    [
        "Test ID;Headline;Views;Clicks",
        "testId;COPY;Sends;CLICKS",
        "experiment;subject line;Sent;clicks",
    ],
)
def test_past_columns_are_guessed(header: str) -> None:
    reading = read(header + "\n1;Oak desk;900;27\n1;Desk, solid;1000;45\n")
    assert reading.tests.texts == ("Oak desk", "Desk, solid")
    assert has(reading.notes, "text from", header.split(";")[1])


def test_past_columns_are_told() -> None:
    table = "id,Betreff,title,Gesehen,clicks\n1,Tisch,x,10,1\n1,Mug,x,10,2\n"
    told = {"test_id": "id", "text": "betreff", "impressions": "Gesehen"}
    assert read(table, told).tests.texts == ("Tisch", "Mug")


def test_past_told_column_is_not_guessed_for_another_field() -> None:
    table = "test,test_name,copy,views,clicks\nA,1,Oak,10,1\nB,1,Desk,10,2\n"
    assert read(table, {"text": "test"}).tests.texts == ("A", "B")


def test_past_optional_column_is_left_out() -> None:
    table = "test_id,text,impressions,clicks,predicted_ctr\nt1,a,9,1,.1\nt1,b,9,1,.2\n"
    assert read(table).tests.predicted is not None
    assert read(table, {"predicted_ctr": ""}).tests.predicted is None


def test_past_exact_name_outranks_alias_and_says_so() -> None:
    reading = read("headline,test,test_id,text,views,clicks\nH,9,1,a,9,1\nH,9,1,b,9,1\n")
    assert reading.tests.test_ids == ("1",)
    assert reading.tests.texts == ("a", "b")
    assert has(reading.notes, "'text' was read as text, not 'headline'", '--column text="headline"')
    assert has(reading.notes, "'test_id' was read as test_id, not 'test'")


def test_past_earlier_alias_outranks_later() -> None:
    reading = read("test,title,headline,views,clicks\n1,T,a,9,1\n1,T,b,9,1\n")
    assert reading.tests.texts == ("a", "b")


def test_past_missing_column_names_those_found() -> None:
    message = refusal("test_id,words,impressions,clicks\nt1,a,9,1\n")
    assert "no column for text" in message
    assert "'test_id', 'words', 'impressions', 'clicks'" in message
    assert '--column text="Subject line"' in message


def test_past_wrong_mapping_is_refused() -> None:
    assert "'headline' is no field" in refusal(HEADER + TWO, {"headline": "text"})
    assert "no column 'Subject'" in refusal(HEADER + TWO, {"text": "Subject"})
    assert "two fields" in refusal(HEADER + TWO, {"text": "text", "test_id": "text"})
    with pytest.raises(BadInput, match="most_lines"):
        read(HEADER + TWO, most_lines=1)
