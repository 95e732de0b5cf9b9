"""What names a model on the Hub: owner, name and revision, checked before they reach a request or a file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

HUB = "hub:"  # how the key of a source begins
MAIN = "main"
# The Hub's rules: letters, digits, '-', '_' and '.', neither '-' nor '.' at an end or doubled, 96 characters at most.
_PART = re.compile(r"(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
_REVISION = re.compile(r"(?!.*(?:\.\.|//))[A-Za-z0-9_](?:[A-Za-z0-9_./-]{0,98}[A-Za-z0-9_])?")


@dataclass(frozen=True)
class Reference:
    """A repository at a revision.

    Attributes:
        repository: owner/name.
        revision: a branch, a tag or a commit.

    Raises:
        ValueError: the repository or the revision cannot be one.
    """

    repository: str
    revision: str = MAIN

    def __post_init__(self) -> None:
        parts = self.repository.split("/") if isinstance(self.repository, str) else []
        if len(parts) != 2 or not all(_PART.fullmatch(part) for part in parts) or parts[1].endswith(".git"):
            raise ValueError(
                f"{str(self.repository)[:120]!r} is no repository on the Hub; a name looks like OWNER/NAME, with "
                "letters, digits, '-', '_' and '.'."
            )
        if not isinstance(self.revision, str) or not _REVISION.fullmatch(self.revision):
            raise ValueError(
                f"{str(self.revision)[:120]!r} is no revision; it is the name of a branch or a tag, or a commit."
            )

    @classmethod
    def parse(cls, text: str) -> Reference:
        """From `owner/name` or `owner/name@revision`, with or without `hub:` before it.

        Raises:
            ValueError: it is neither.
        """
        repository, at, revision = str(text).removeprefix(HUB).partition("@")
        return cls(repository, revision if at else MAIN)

    @classmethod
    def of_folder(cls, name: str) -> Reference:
        """The reference whose `folder` is `name`.

        Raises:
            ValueError: there is none.
        """
        repository, at, revision = name.partition("@")
        found = cls(repository.replace("--", "/", 1), unquote(revision) if at else "")
        if found.folder != name:
            raise ValueError(f"{name[:120]!r} is no folder of a download.")
        return found

    @property
    def key(self) -> str:
        """`hub:owner/name`, with `@revision` where it is not the main branch."""
        return HUB + self.repository + ("" if self.revision == MAIN else f"@{self.revision}")

    @property
    def folder(self) -> str:
        """The name of its folder on this computer."""
        return f"{self.repository.replace('/', '--')}@{quote(self.revision, safe='')}"
