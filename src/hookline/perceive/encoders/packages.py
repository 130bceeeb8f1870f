"""Packages that only some encoders need: asked for when one is opened, never before."""

from importlib import import_module
from typing import Any, Final

from hookline.errors import BadInput

Package = Any
"""A package bound at run time, since Hookline is checked and run where it is not installed."""

_MOST: Final = 200


def require(package: str, extra: str) -> Package:
    """A package that only this encoder needs.

    Args:
        package: Its name, or that of a module in it.
        extra: Of Hookline, which brings it.

    Raises:
        BadInput: Where it is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise BadInput(
            f"this encoder needs {package.partition('.')[0]}: pip install 'hookline[{extra}]'"
        ) from error


def in_one_line(error: Exception) -> str:
    r"""What an error says, its lines joined and cut to 200 characters; its kind where it is mute.

    >>> in_one_line(ValueError("no\n  such model"))
    'no such model'
    >>> in_one_line(EOFError())
    'EOFError'
    """
    return " ".join(str(error).split())[:_MOST] or type(error).__name__
