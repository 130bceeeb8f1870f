"""Packages that only some encoders need: asked for when one is opened, never before."""

from typing import Final

from hookline import extras
from hookline.extras import Package

__all__ = ["Package", "check_installed", "in_one_line", "require"]

_MOST: Final = 200
_WHAT: Final = "this encoder"


def require(package: str, extra: str) -> Package:
    """A package that only this encoder needs, see `extras.require`."""
    return extras.require(package, extra, _WHAT)


def check_installed(package: str, extra: str) -> None:
    """Finds out whether `require` would find a package, see `extras.check_installed`."""
    extras.check_installed(package, extra, _WHAT)


def in_one_line(error: Exception) -> str:
    r"""What an error says, its lines joined and cut to 200 characters; its kind where it is mute.

    >>> in_one_line(ValueError("no\n  such model"))
    'no such model'
    >>> in_one_line(EOFError())
    'EOFError'
    """
    return " ".join(str(error).split())[:_MOST] or type(error).__name__
