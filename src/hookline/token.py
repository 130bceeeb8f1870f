"""Decision tokens: a decision, signed, that comes back with the impression.

A decision waits for no disk. Should the process die before the decision is written, the token in
the shop's own event still carries it, and the log is whole again.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

import msgspec

from hookline.errors import BadInput
from hookline.types import Decision, dumps, loads


def sign(decision: Decision, secret: bytes) -> str:
    """The decision as `<base64url JSON>.<base64url HMAC-SHA256>`."""
    body = urlsafe_b64encode(dumps(decision))
    return f"{body.decode()}.{_seal(body, secret)}"


def verify(token: str, secret: bytes) -> Decision:
    """The decision in a token.

    Raises:
        BadInput: Where the token was not signed with this secret, or is damaged.
    """
    body, _, seal = token.partition(".")
    if not hmac.compare_digest(
        _seal(body.encode("utf-8", "replace"), secret).encode(), seal.encode("utf-8", "replace")
    ):
        raise BadInput("the decision token was not signed by this Hookline, or is damaged")
    try:
        return loads(urlsafe_b64decode(body), Decision)
    except (Base64Error, msgspec.DecodeError) as error:
        raise BadInput(f"the decision token can't be read: {error}") from None


def _seal(body: bytes, secret: bytes) -> str:
    return urlsafe_b64encode(hmac.digest(secret, body, "sha256")).decode()
