"""The writers of a Hookline in the versions that are in use, asked for anew with every order.

    setting → the writer as it ships → its default version → shared by lot with one on trial

A version whose folder is not what was released is never used: the writer as it ships, or as the
settings have it, writes instead, and every draft says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

from hookline.errors import BadInput
from hookline.tune.versions import Registry, Version, fault_of, identity, labelled
from hookline.types import Brief, Draft, content_hash
from hookline.writers import House, TransformersWriter, Writer


@dataclass(frozen=True, slots=True)
class Member:
    """One of those that share the work: a writer, and what its copy is labelled with."""

    writer: Writer
    id: str


class Shared(Writer):
    """A writer in one version, or in two that share the requests by lot.

    Args:
        members: The default, and behind it the one on trial if there is one.
        plain: Writes where a member's model can't be loaded.
        notes: What is to be said of every draft.
    """

    def __init__(self, members: Sequence[Member], plain: Writer, notes: Sequence[str] = ()) -> None:
        self.members = tuple(members)
        self.plain = plain
        self.notes = tuple(notes)

    def write(self, brief: Brief, n: int, seed: int) -> tuple[Draft, ...]:
        """As the member whose turn it is; seeds are shared out evenly."""
        turn = int(content_hash("version", seed, size=4), 16)
        member = self.members[turn % len(self.members)]
        notes = self.notes
        try:
            drafts = member.writer.write(brief, n, seed)
        except BadInput as fault:
            if member.writer is self.plain:
                raise
            notes += (_unused(member.id, str(fault)),)
            return tuple(self._noted(draft, notes) for draft in self.plain.write(brief, n, seed))
        return tuple(
            replace(self._noted(draft, notes), prompt=labelled(draft.prompt, self.name, member.id))
            for draft in drafts
        )

    def _noted(self, draft: Draft, notes: Sequence[str]) -> Draft:
        return replace(draft, note="; ".join(filter(None, (*notes, draft.note))))


class SharedHouse(Shared):
    """Versions of the house model."""

    name: ClassVar[str] = House.name
    oversample: ClassVar[int] = House.oversample


class SharedTransformers(Shared):
    """Versions of a model in a folder."""

    name: ClassVar[str] = TransformersWriter.name
    oversample: ClassVar[int] = TransformersWriter.oversample
    reads_lessons: ClassVar[bool] = TransformersWriter.reads_lessons


VERSIONED: Final[Mapping[str, type[Shared]]] = {
    kind.name: kind for kind in (SharedHouse, SharedTransformers)
}
"""Writers that come in versions."""


class InUse:
    """Gives the writer of a name, in the versions that are in use at that moment.

    Args:
        plain: Gives the writer of a name as it ships, or as the settings have it.
        versions: Gives the versions there are now.
        open_version: Gives the writer of a name with the model of a folder.
    """

    def __init__(
        self,
        plain: Callable[[str], Writer],
        versions: Callable[[], Registry],
        open_version: Callable[[str, Path], Writer],
    ) -> None:
        self._plain = plain
        self._versions = versions
        self._open_version = open_version
        self._opened: dict[str, Writer] = {}

    def __call__(self, name: str) -> Writer:
        """The writer of that name.

        Raises:
            UnregisteredName: Where there is none.
        """
        plain = self._plain(name)
        kind = VERSIONED.get(name)
        if kind is None:
            return plain
        now = self._versions()
        default, challenger = now.of(name, "default"), now.of(name, "challenger")
        if default is None and challenger is None:
            return plain
        usual, why = self._usual(plain, default)
        members, notes = [Member(usual, identity(usual))], [why]
        if challenger:
            rival, why = self._sound(challenger)
            members += [Member(rival, challenger.id)] if rival else []
            notes.append(why)
        return kind(members, plain, list(filter(None, notes)))

    def incumbent(self, name: str) -> Writer:
        """What a new version of the writer is compared with: the default, as far as it is sound."""
        usual, _ = self._usual(self._plain(name), self._versions().of(name, "default"))
        return usual

    def _usual(self, plain: Writer, default: Version | None) -> tuple[Writer, str]:
        """The default version, or the plain writer and why."""
        if default is None:
            return plain, ""
        writer, fault = self._sound(default)
        return writer or plain, fault

    def _sound(self, version: Version) -> tuple[Writer | None, str]:
        """The version's writer, or None and why."""
        if fault := fault_of(version):
            return None, _unused(version.id, fault)
        try:
            writer = self._opened.get(version.digest) or self._open_version(
                version.writer, Path(version.folder)
            )
        except BadInput as error:
            return None, _unused(version.id, str(error))
        if identity(writer) != version.id:
            return None, _unused(version.id, f"another model of {version.folder} is open; restart")
        self._opened[version.digest] = writer
        return writer, ""


def _unused(version_id: str, fault: str) -> str:
    return f"version {version_id} is not used, since {fault.rstrip('.')}"
