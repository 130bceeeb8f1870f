"""Packages that only some of Hookline needs: bound when they are used, never before."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from hookline.errors import BadInput

Package = Any
"""A package, or something of one: Hookline is checked and run where they are not installed."""


def require(package: str, extra: str, what: str) -> Package:
    """A package that an extra of Hookline brings.

    Args:
        package: Its name, or that of a module in it.
        extra: The extra.
        what: What needs it, for the message.

    Raises:
        BadInput: Where it is not installed.

    Examples:
        >>> require("math", "train", "counting").pi > 3
        True
        >>> require("nowhere", "train", "training")
        Traceback (most recent call last):
            ...
        hookline.errors.BadInput: training needs nowhere: pip install 'hookline[train]'...
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise BadInput(f"{_missing(package, extra, what)} ({error})") from error


def check_installed(package: str, extra: str, what: str) -> None:
    """Finds out whether `require` would find a package, without the time of importing it.

    Args:
        package: As for `require`, likewise extra and what.
        extra: The extra.
        what: What needs it.

    Raises:
        BadInput: Where it is not installed.
    """
    if find_spec(package.partition(".")[0]) is None:
        raise BadInput(_missing(package, extra, what))


def _missing(package: str, extra: str, what: str) -> str:
    return f"{what} needs {package.partition('.')[0]}: pip install 'hookline[{extra}]'"
