"""Packages that only some encoders need: asked for when one is opened, never before."""

from importlib import import_module
from importlib.util import find_spec
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
        raise _missing(package, extra) from error


def check_installed(package: str, extra: str) -> None:
    """Finds out whether `require` would find a package, without the time of importing it.

    Raises:
        BadInput: Where it is not installed.
    """
    if find_spec(package.partition(".")[0]) is None:
        raise _missing(package, extra)


def in_one_line(error: Exception) -> str:
    r"""What an error says, its lines joined and cut to 200 characters; its kind where it is mute.

    >>> in_one_line(ValueError("no\n  such model"))
    'no such model'
    >>> in_one_line(EOFError())
    'EOFError'
    """
    return " ".join(str(error).split())[:_MOST] or type(error).__name__


def _missing(package: str, extra: str) -> BadInput:
    name = package.partition(".")[0]
    return BadInput(f"this encoder needs {name}: pip install 'hookline[{extra}]'")
