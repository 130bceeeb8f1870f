"""Versions of a writer: which one is default, which is on trial, and is it what was released.

    released (challenger) → its lines win in tests (default) → rolled back
                          └──────────────────────────────────↗

All of them stand in one document of the store, `meta/writers`. A version is a folder with a model;
the document keeps a digest of what a writer reads there, so that a folder that was changed, stopped
by a watchdog or taken away is found out and never used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

import msgspec

from hookline.errors import BadInput, Refused
from hookline.store import Store, audit_row
from hookline.tune.release import Figure
from hookline.types import Action, Copy, Estimate, dumps, loads
from hookline.writers import House, TransformersWriter, Writer
from hookline.writers.house.network import CARD, WEIGHTS

STOPPED: Final = "stopped.json"
"""What a training that a watchdog stopped leaves beside its model."""
_KEY: Final = "writers"
_CONFIG: Final = "config.json"
_MARK: Final = "@"
_CHUNK: Final = 1 << 20

State = Literal["challenger", "default", "former", "rolled back"]
"""On trial; written with; default before the present one; or taken back."""
Stamp = tuple[tuple[str, int, int], ...]
"""Name, size and time of change, in nanoseconds, of each file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One model of a writer that was released.

    Attributes:
        id: What its copy is labelled with: the house model's build, else the folder's digest.
        writer: Registered name of the writer that runs it.
        folder: Where the model is, from the root on.
        digest: Of the files that the writer reads there.
        parent: Id of the incumbent that it was compared with and is on trial against.
        state: What it is now.
        at: UTC time it was released.
        figures: How it did at the gate.
        live: How much more its lines brought in tests when it became default; None before.
    """

    id: str
    writer: str
    folder: str
    digest: str
    parent: str
    state: State = "challenger"
    at: datetime
    figures: tuple[Figure, ...] = ()
    live: Estimate | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """Every version of every writer, in order of first release."""

    versions: tuple[Version, ...] = ()

    def of(self, writer: str, state: State) -> Version | None:
        """The writer's latest version in a state."""
        found = [each for each in self.versions if (each.writer, each.state) == (writer, state)]
        return found[-1] if found else None

    def put(self, *changed: Version) -> "Registry":
        """The registry with versions in the place of those of the same ids, or behind all."""
        known = {each.id: each for each in self.versions} | {each.id: each for each in changed}
        return Registry(versions=tuple(known.values()))

    def released(self, version: Version) -> "Registry":
        """The registry with a new challenger.

        Raises:
            Refused: Where another one is on trial, or the version is what is written with.
        """
        self.check_free(version.writer)
        if version.id == version.parent:
            raise Refused(f"{version.folder} holds what {version.writer} writes with already")
        return self.put(version)

    def check_free(self, writer: str) -> None:
        """Raises `Refused` where the writer has a version on trial."""
        if now := self.of(writer, "challenger"):
            raise Refused(
                f"version {now.id} of {writer} is on trial; adopt it, or roll it back, first"
            )

    def adopted(self, writer: str, gain: Estimate) -> "Registry":
        """The registry with the challenger as the default.

        Args:
            writer: Registered name of the writer.
            gain: How much more the challenger's lines brought in tests.

        Raises:
            Refused: Where there is none.
        """
        challenger = self._challenger(writer)
        before = self.of(writer, "default")
        former = [replace(before, state="former")] if before else []
        return self.put(*former, replace(challenger, state="default", live=gain))

    def rolled_back(self, writer: str) -> "tuple[Registry, Version]":
        """The registry without the challenger or, where there is none, without the default.

        After a default comes the version that it replaced, where that was one. Also given back is
        what was taken back.

        Raises:
            Refused: Where the writer has neither.
        """
        if challenger := self.of(writer, "challenger"):
            return self.put(replace(challenger, state="rolled back")), challenger
        if (default := self.of(writer, "default")) is None:
            raise Refused(f"{writer} has no version to roll back; it writes as it shipped")
        before = [each for each in self.versions if each.id == default.parent]
        again = [replace(each, state="default") for each in before if each.state == "former"]
        return self.put(replace(default, state="rolled back"), *again), default

    def _challenger(self, writer: str) -> Version:
        if (found := self.of(writer, "challenger")) is None:
            raise Refused(f"no version of {writer} is on trial; `hookline tune release` tries one")
        return found


def registry(store: Store) -> Registry:
    """The versions that the store knows."""
    body = store.get("meta", _KEY)
    return Registry() if body is None else loads(body, Registry)


def keep(store: Store, now: Registry, action: Action, *, at: datetime) -> None:
    """Stores the registry, with a row in the audit trail.

    Raises:
        StoreFailed: Where nothing was written.
    """
    store.write(documents={"meta": {_KEY: dumps(now)}}, log=[audit_row(action, at)])


# --- folders -----------------------------------------------------------------------------------


def kind_of(folder: Path) -> str:
    """Registered name of the writer that runs the model in a folder.

    Raises:
        BadInput: Where there is none.
    """
    if (folder / CARD).is_file() and (folder / WEIGHTS).is_file():
        return House.name
    if (folder / _CONFIG).is_file():
        return TransformersWriter.name
    raise BadInput(
        f"{folder} holds no model: neither {CARD} with {WEIGHTS}, as the house model has, nor "
        f"{_CONFIG}, as a Hugging Face model has (an adapter has to be merged first)"
    )


def check_finished(folder: Path) -> None:
    """Raises `Refused` where a watchdog stopped the training of the model in the folder."""
    for place in (folder, folder.parent):
        if (file := place / STOPPED).exists():
            raise Refused(f"{folder} is not to be used: its training was stopped, {_why(file)}")


def digest_of(folder: Path) -> str:
    """A hash of all that a writer reads in the folder.

    For the house model these are its two files, else every file in the folder and below it but
    hidden ones and checkpoints. Files whose size and time of change are as before are not read
    again.

    Raises:
        BadInput: Where there is no model, or a file can't be read.
    """
    house = kind_of(folder) == House.name
    files = [folder / CARD, folder / WEIGHTS] if house else sorted(_read(folder))
    try:
        stamp = tuple((str(f.relative_to(folder)), *_sized(f)) for f in files)
        return _hashed(folder, stamp)
    except OSError as error:
        raise BadInput(f"{folder} can't be read: {error.strerror}") from None


def identity(writer: Writer) -> str:
    """What copy of the writer is labelled with, as `Version.id`.

    Raises:
        BadInput: Where the writer has no model in a folder.
    """
    match writer:
        case House():
            return writer.network.build.version
        case TransformersWriter():
            return digest_of(writer.folder)
        case _:
            raise BadInput(f"{writer.name} has no model in a folder, so no versions")


def fault_of(version: Version) -> str:
    """Why the version's folder may not be used, in words; empty where it may."""
    folder = Path(version.folder)
    try:
        check_finished(folder)
        changed = digest_of(folder) != version.digest
    except (BadInput, Refused) as fault:
        return str(fault)
    return f"{folder} was changed after its release" if changed else ""


def labelled(prompt: str, writer: str, version_id: str) -> str:
    """What a draft's `prompt` says: the house's is its build, others' have the version behind."""
    return prompt if writer == House.name else f"{prompt}{_MARK}{version_id}"


def prompt_of(copy: Copy) -> str:
    """The version of the prompt that the copy was written with, whatever wrote it."""
    return copy.prompt.partition(_MARK)[0]


def version_of(copy: Copy) -> str:
    """The version of the writer that wrote the copy, as `Version.id`; empty where none is noted."""
    prompt, _, version = copy.prompt.partition(_MARK)
    return prompt if copy.writer == House.name else version


def _why(file: Path) -> str:
    """What the watchdog said."""
    try:
        said: object = msgspec.json.decode(file.read_bytes(), type=dict[str, object]).get("why")
    except (OSError, msgspec.MsgspecError):
        said = None
    return str(said) if said else f"as {file} says"


def _read(folder: Path) -> Sequence[Path]:
    """The files that a loader may read."""
    return [
        file
        for file in folder.rglob("*")
        if file.is_file()
        and not any(
            part.startswith((".", "checkpoint-")) for part in file.relative_to(folder).parts
        )
    ]


def _sized(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_size, about.st_mtime_ns


@lru_cache(maxsize=64)
def _hashed(folder: Path, stamp: Stamp) -> str:
    """The hash of files in a folder, read once as long as they are what the stamp says."""
    digest = blake2b(digest_size=10)
    for name, size, _ in stamp:
        digest.update(f"{name}\0{size}\0".encode())
        with (folder / name).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
