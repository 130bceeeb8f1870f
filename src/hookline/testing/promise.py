"""How a broken promise is told."""


def promised(holds: object, member: object, promise: str) -> None:
    """Nothing, if the promise holds.

    Args:
        holds: True, of any kind that is true, where it does.
        member: Whose promise it is; its `name`, or the name of its class, opens the message.
        promise: What it does, in words.

    Raises:
        AssertionError: Otherwise. Written out, since `python -O` drops assert statements.
    """
    if not holds:
        name = getattr(member, "name", type(member).__name__)
        raise AssertionError(f"{name} breaks its contract; it should be one that {promise}")
