"""What is asked of one evaluation, and what must stay the same for its result to hold. No torch on import."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganplay.files import read_json
from ganplay.layout import CONFIG, GENERATOR
from ganplay.runs import store as runs
from ganplay.sources import RUN, folder_of

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

VERSION = 2  # raise it when the same ask would give other numbers, or the same numbers in another form
FEWEST, MOST = 500, 10_000  # samples: fewer say little, more would keep the others of a class waiting
LARGEST_SEED = 2**31 - 1
REFERENCES = ("train", "test")
_LONGEST_HEAD = 10**8  # bytes of a safetensors file


@dataclass(frozen=True)
class Ask:
    """One generator and the settings of its figures.

    Attributes:
        source: a key as in `ganplay.sources`.
        features: the name of a feature set, or "auto".
        reference: the split that is compared with.

    Raises:
        ValueError: a setting is not allowed. Whether there is such a source or feature set is not asked here.
    """

    source: str
    samples: int = 1_000
    features: str = "auto"
    reference: str = "train"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (("samples", FEWEST, MOST), ("seed", 0, LARGEST_SEED)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name} is {str(value)[:40]}; it must be a whole number, {low:,} to {high:,}.")
        if self.reference not in REFERENCES:
            raise ValueError(f"reference is {str(self.reference)[:40]!r}; it must be train or test.")
        if not isinstance(self.source, str) or not isinstance(self.features, str):
            raise ValueError("A source and features are named by text.")

    @property
    def key(self) -> str:
        """Names the files of this ask: 24 hexadecimal digits, whatever the source is called."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:24]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Any) -> Ask:
        """The ask that `to_json` described.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(content, dict) or set(content) != {field.name for field in fields(cls)}:
            raise ValueError("This describes no evaluation.")
        return cls(**content)


def stamp(ask: Ask) -> str:
    """Equal for as long as an evaluation would find the same numbers: weights, recipe, features and pictures.

    It reads a few kilobytes: the head of the weights' file holds their checksum.

    Raises:
        ValueError: there is no such source or feature set, or it cannot be read; one sentence.
    """
    from ganplay.metrics.features import choose, feature_set  # imports torch

    recipe, weights = _subject(ask.source)
    dataset = recipe.dataset
    kind = choose(dataset, recipe.shapes.sample) if ask.features == "auto" else feature_set(ask.features).kind
    content = dataset.content() if hasattr(dataset, "content") else ""
    known = [VERSION, recipe.to_json(), _about(weights), kind, feature_set(kind).stamp(), content]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:24]


def images_now(source: str) -> int:
    """Real images that the newest weights of a source have seen.

    Raises:
        ValueError: there are none.
    """
    if source.startswith(RUN):
        return int(_subject_of_run(source)[1].stem)
    try:
        return int(read_json(folder_of(source) / CONFIG)["images"])
    except (KeyError, TypeError):
        raise ValueError(f"{source[:80]!r} holds no generator.") from None


def exists(source: str) -> bool:
    """False for a run that was deleted and a checkpoint that is not there any more."""
    try:
        return bool(runs.find(source.removeprefix(RUN)) if source.startswith(RUN) else folder_of(source))
    except ValueError:
        return False


def _subject(source: str) -> tuple[Recipe, Path]:
    """The recipe of a source and the file of its newest weights."""
    from ganplay.model_folder import read_config  # imports torch

    if source.startswith(RUN):
        run, newest = _subject_of_run(source)
        return run.recipe(), newest
    folder = folder_of(source)
    return read_config(folder).recipe, folder / GENERATOR


def _subject_of_run(source: str) -> tuple[runs.Run, Path]:
    run = runs.find(source.removeprefix(RUN))
    saved = run.checkpoints()
    if not saved:
        raise ValueError(
            f"The run '{run.label}' has no checkpoint yet; it saves the first one after a while of training."
        )
    return run, saved[0]


def _about(path: Path) -> str:
    """What a safetensors file says of itself in its head: images seen and, as we write it, a checksum of the content.

    Without a checksum, and when it is damaged, a digest of the head; whoever opens it then says what is wrong.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head = file.read(min(length, _LONGEST_HEAD))
    except OSError as error:
        raise ValueError(f"The checkpoint {path.name} cannot be read: {error.strerror or error}.") from None
    try:
        said = json.loads(head)["__metadata__"]
        known = {name: said[name] for name in said if name == "checksum" or not name.startswith("checksum of")}
        if "checksum" in known:
            return json.dumps(known, sort_keys=True)
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    return hashlib.sha256(head).hexdigest()
