import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_context, make_experiment
from hookline.errors import BadInput
from hookline.experiment import decide
from hookline.policies import POLICIES
from hookline.token import sign, verify

DECISION = decide(make_experiment(), make_context(), POLICIES["uniform"](), "")


def test_verify_gives_back_what_was_signed() -> None:
    assert verify(sign(DECISION, b"key"), b"key") == DECISION


def test_verify_refuses_another_key() -> None:
    with pytest.raises(BadInput, match="not signed"):
        verify(sign(DECISION, b"key"), b"other")


@given(st.integers(0, 400), st.characters())
def test_verify_refuses_any_change(place: int, character: str) -> None:
    token = sign(DECISION, b"key")
    changed = token[:place] + character + token[place + 1 :]
    if changed != token:
        with pytest.raises(BadInput):
            verify(changed, b"key")
