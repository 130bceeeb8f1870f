"""Versions of a prompt in a folder: which one is usual, and which one is on trial against it.

<version>.md    the prompt, word for word; its hash is its name, so that it can't change
<version>.json  its card: what it grew out of, and how it did before it was tried
roles.json      the version that is usual, and the one on trial; empty names are the one that
                ships, and none
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from hookline.errors import BadInput, Unknown
from hookline.prompts import Prompt, load, of_text
from hookline.types import dumps, loads

NAME: Final = "write_copy"
ROLES: Final = "roles.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Roles:
    """Which versions are in use.

    Attributes:
        usual: The version that is written with; empty for the one that ships.
        on_trial: The version that shares the work with it; empty for none.
    """

    usual: str = ""
    on_trial: str = ""


def roles(folder: Path) -> Roles:
    """The roles as the folder has them; those of an empty folder where there is none.

    Raises:
        BadInput: Where the file can't be read.
    """
    try:
        return loads((folder / ROLES).read_bytes(), Roles)
    except FileNotFoundError:
        return Roles()
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"{folder / ROLES} can't be read: {error}") from None


def set_roles(folder: Path, wanted: Roles) -> None:
    """Writes the roles, all at once.

    Raises:
        Unknown: Where a version is not in the folder.
    """
    for name in (wanted.usual, wanted.on_trial):
        if name:
            version(folder, name)
    _write(folder / ROLES, dumps(wanted))


def version(folder: Path, name: str) -> Prompt:
    """The version of that name; the prompt that ships where the name is empty.

    Raises:
        Unknown: Where there is none.
        BadInput: Where its file was changed.
    """
    shipped = load(NAME)
    if name in {"", shipped.version}:
        return shipped
    try:
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise Unknown(f"{folder} has no prompt {name!r}") from None
    prompt = of_text(NAME, text)
    if prompt.version != name:
        raise BadInput(
            f"{folder / name}.md was changed; take it away, or rename it {prompt.version}.md"
        )
    return prompt


def in_use(folder: Path) -> tuple[Prompt, ...]:
    """The usual prompt, and behind it the one on trial if there is one.

    Raises:
        Unknown: Where a version that has a role is not in the folder.
        BadInput: Where a file can't be read or was changed.
    """
    now = roles(folder)
    usual = version(folder, now.usual)
    return (usual, version(folder, now.on_trial)) if now.on_trial else (usual,)


def keep(folder: Path, prompt: Prompt, card: Mapping[str, object]) -> Path:
    """The file that now holds the prompt, with its card beside it.

    Raises:
        BadInput: Where the folder can't be written.
    """
    file = folder / f"{prompt.version}.md"
    _write(file, prompt.text.encode())
    _write(file.with_suffix(".json"), msgspec.json.format(dumps(card), indent=1))
    return file


def _write(file: Path, content: bytes) -> None:
    """Writes a file so that whoever reads it sees the old content or the new."""
    draft = file.with_name(f".{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(file)
    except OSError as error:
        raise BadInput(f"{file} can't be written: {error.strerror}") from None
