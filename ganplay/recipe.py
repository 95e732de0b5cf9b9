"""A recipe: everything that decides what a run computes, as frozen data that goes to JSON and back unchanged."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganplay.augment import AUGMENTATIONS
from ganplay.contracts import Dataset, Loss, Metric, Network, Optimiser, Penalty, Shapes
from ganplay.data import datasets
from ganplay.losses import losses
from ganplay.metrics import metrics
from ganplay.models import discriminators, generators
from ganplay.optimisers import optimisers
from ganplay.options import Checked, Option, option, option_fields
from ganplay.penalties import penalties
from ganplay.registry import Registry

# The parts of a recipe that are chosen by name, with the registry that knows them; the last one may hold several.
SLOTS: dict[str, Registry] = {
    "dataset": datasets,
    "generator": generators,
    "discriminator": discriminators,
    "loss": losses,
    "generator_optimiser": optimisers,
    "discriminator_optimiser": optimisers,
    "metric": metrics,
    "penalties": penalties,
}
MANY = "penalties"


@dataclass(frozen=True)
class Setting:
    """One value of a recipe with all that a form or a flag needs to offer it.

    Attributes:
        path: `batch_size`, `loss` (the name of the part) or `loss.average` (a field of the chosen part).
        type: int, float, bool, str, or `tuple[...]` of one of them.
    """

    path: str
    type: Any
    value: Any
    option: Option


@dataclass(frozen=True, kw_only=True)
class Recipe(Checked):
    """One GAN on one data set. Two equal recipes give the same numbers on the same machine.

    Raises:
        ValueError: a value is out of its range; the sentence says what is allowed.
    """

    dataset: Dataset
    generator: Network
    discriminator: Network
    loss: Loss
    generator_optimiser: Optimiser
    discriminator_optimiser: Optimiser
    metric: Metric
    penalties: tuple[Penalty, ...] = ()

    title: str = option("", "What this recipe is called in lists and legends.")
    image_size: int = option(
        32, "Height and width of the images in pixels; pictures are resized to it.", low=8, high=64
    )
    channels: int = option(0, "Colour channels: 1 grey, 3 colour, 0 as the data has them.", choices=(0, 1, 3))
    latent: int = option(100, "Length of the noise vector z.", low=1, high=1024)
    noise: str = option(
        "gaussian",
        "Distribution of z: standard normal, uniform in [-1, 1], or normal cut off at 2 and -2.",
        choices=("gaussian", "uniform", "truncated"),
    )
    batch_size: int = option(64, "Samples per update.", low=2, high=4096)
    critic_steps: int = option(1, "Discriminator updates in one round of training.", low=1, high=100)
    generator_steps: int = option(1, "Generator updates in one round of training.", low=1, high=100)
    decay_images: int = option(
        0, "Last images before stop_images over which both learning rates fall in a straight line to 0, 0 for rates "
        "that stay.", low=0, high=10**10,
    )  # fmt: skip
    fakes: str = option(
        "fresh",
        "Fakes of the generator's update: fresh ones, as the algorithms are printed, or those that its discriminator "
        "has just learned from (shared), as most scripts do, which saves a pass through the generator.",
        choices=("fresh", "shared"),
    )
    unroll: int = option(
        0, "Further updates of the discriminator that the generator's gradient looks through, 0 for none (unrolled "
        "GAN). They are undone afterwards.", low=0, high=10,
    )  # fmt: skip
    class_weight: float = option(
        1.0, "Weight of the auxiliary classifier's cross-entropy in both losses.", low=0.0, high=1000.0
    )
    flip_labels: float = option(
        0.0, "Share of real and fake samples that the discriminator is told the wrong way round.", low=0.0, high=0.5
    )
    instance_noise: float = option(
        0.0, "Standard deviation of noise on everything the discriminator sees, at the start.", low=0.0, high=2.0
    )
    instance_noise_images: int = option(
        0, "Images seen until that noise has faded to nothing, 0 for never.", low=0, high=10**10
    )
    augment: tuple[str, ...] = option(
        (), "Random changes of everything the discriminator sees, through which the generator learns (DiffAugment).",
        choices=AUGMENTATIONS,
    )  # fmt: skip
    ema_decay: float = option(
        0.999, "Decay of the moving average of the generator's weights, 0 for none. Samples come from the average.",
        low=0.0, high=0.99999,
    )  # fmt: skip
    seed: int = option(0, "Seed of the weights, the noise and the order of the data.", low=0, high=2**31 - 1)
    precision: str = option(
        "auto",
        "Arithmetic of the networks: fp32, bf16 (half-width products, faster where the processor has them), or auto.",
        choices=("auto", "fp32", "bf16"),
    )
    stop_images: int = option(1_000_000, "Stop after this many real images seen.", low=1, high=10**10)
    stop_seconds: float = option(0.0, "Stop after this many seconds of training, 0 for no limit.", low=0.0, high=10**7)
    stop_score: float = option(0.0, "Stop when the metric falls to this score, 0 for no target.", low=0.0, high=10**6)
    log_every: int = option(1_000, "Images between two points of the curves.", low=1, high=10**7)
    sample_every: int = option(5_000, "Images between two saved sample grids.", low=1, high=10**8)
    score_every: int = option(0, "Images between two scores, 0 for none.", low=0, high=10**8)
    score_share: float = option(
        0.1, "Share of the training time that scores may take: those beyond it are left out. 1 leaves none out.",
        low=0.0, high=1.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        for slot, registry in SLOTS.items():
            parts = getattr(self, slot) if slot == MANY else (getattr(self, slot),)
            for part in parts:
                if registry[part.kind] is not type(part):
                    raise ValueError(f"{slot} is {part!r}, which is not a registered {registry.noun}.")
        kinds = [part.kind for part in self.penalties]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"penalties are {', '.join(kinds)}; each may be given once.")
        if len(set(self.augment)) < len(self.augment):
            raise ValueError(f"augment is {', '.join(self.augment)}; each may be given once.")
        if self.stop_score and not self.score_every:
            raise ValueError(f"stop_score is {self.stop_score}, but score_every is 0; say how often to score.")

    @property
    def shapes(self) -> Shapes:
        """The sizes the two networks are built for."""
        native = self.dataset.native
        classes = len(self.dataset.class_names) if self.conditional else 0
        if len(native) == 1:
            return Shapes(native, self.latent, classes)
        return Shapes((self.channels or native[0], self.image_size, self.image_size), self.latent, classes)

    @property
    def conditional(self) -> bool:
        """True when a network is told the class of a sample, or asked for it."""
        return any(network.conditioning != "none" for network in (self.generator, self.discriminator))

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that change when anything but the title changes."""
        content = {**self.to_json(), "title": ""}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data: a part is an object with its `kind` and its fields."""
        plain = self.values()
        for slot in SLOTS:
            value = getattr(self, slot)
            plain[slot] = [_part_to_json(part) for part in value] if slot == MANY else _part_to_json(value)
        return plain

    @classmethod
    def from_json(cls, content: Any) -> Recipe:
        """The recipe that `to_json` wrote.

        Raises:
            ValueError: a key is unknown or missing, or a value is out of its range.
        """
        if not isinstance(content, Mapping):
            raise ValueError(f"A recipe is a JSON object; {type(content).__name__} was given.")
        known = {field.name for field in dataclasses.fields(cls)}
        _refuse_unknown("recipe", content, known)
        missing = [slot for slot in SLOTS if slot not in content]
        if missing:
            raise ValueError(f"The recipe has no {', '.join(missing)}; all of {', '.join(SLOTS)} are needed.")
        values = dict(content)
        for slot in SLOTS:
            if slot == MANY:
                if not isinstance(content[slot], (list, tuple)):
                    raise ValueError(f"{slot} is {content[slot]!r}; it must be a list of objects.")
                values[slot] = tuple(_part_from_json(slot, entry) for entry in content[slot])
            else:
                values[slot] = _part_from_json(slot, content[slot])
        return cls(**values)

    def settings(self) -> tuple[Setting, ...]:
        """Every value that can be changed, parts before their fields."""
        found = []
        for slot, registry in SLOTS.items():
            value = getattr(self, slot)
            if slot == MANY:
                kinds = tuple(part.kind for part in value)
                choice = Option(f"Each {registry.noun} to use.", choices=registry.names())
                found.append(Setting(slot, tuple[str, ...], kinds, choice))
                for part in value:
                    found += _fields(part, f"{slot}.{part.kind}.")
            else:
                choice = Option(f"Which {registry.noun} to use.", choices=registry.names())
                found.append(Setting(slot, str, value.kind, choice))
                found += _fields(value, f"{slot}.")
        return tuple(found) + tuple(_fields(self, ""))

    def change(self, changes: Mapping[str, Any]) -> Recipe:
        """A copy with some settings changed; values may be text.

        Choosing another part by name gives it its own defaults; fields of parts in `changes` are applied afterwards,
        whatever the order of the keys.

        Raises:
            ValueError: a path is unknown or a value not allowed.
        """
        content = self.to_json()
        for path in sorted(changes, key=lambda path: path.count(".")):
            _change(content, path, changes[path])
        return Recipe.from_json(content)

    def difference(self, base: Recipe) -> dict[str, Any]:
        """The changes that turn `base` into this recipe: `base.change(r.difference(base)) == r`."""
        theirs = base.change(self._choices()).settings()
        defaults = {setting.path: setting.value for setting in theirs}
        changes = {path: value for path, value in self._choices().items() if value != base._choices()[path]}
        fields = {s.path: s.value for s in self.settings() if s.path not in SLOTS and s.value != defaults[s.path]}
        return changes | fields

    def _choices(self) -> dict[str, Any]:
        return {setting.path: setting.value for setting in self.settings() if setting.path in SLOTS}


def _fields(owner: Checked, prefix: str) -> list[Setting]:
    return [
        Setting(prefix + field.name, annotation, getattr(owner, field.name), field.metadata["option"])
        for field, annotation in option_fields(type(owner))
    ]


def _part_to_json(part: Checked) -> dict[str, Any]:
    return {"kind": part.kind, **part.values()}


def _part_from_json(slot: str, content: Any) -> Any:
    if not isinstance(content, Mapping) or not isinstance(content.get("kind"), str):
        raise ValueError(f"{slot} is {content!r}; it must be an object with a kind.")
    part = SLOTS[slot][content["kind"]]
    values = {name: value for name, value in content.items() if name != "kind"}
    _refuse_unknown(f"{SLOTS[slot].noun} '{part.kind}'", values, {field.name for field in dataclasses.fields(part)})
    return part(**values)


def _refuse_unknown(owner: str, content: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(str(key) for key in set(content) - known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise ValueError(f"The {owner} has no setting {', '.join(unknown)}; its settings are {allowed}.")


def _change(content: dict[str, Any], path: str, value: Any) -> None:
    """Sets one path in the JSON form of a recipe."""
    slot, *rest = path.split(".")
    if not rest:
        if slot == MANY:
            kinds = [kind for kind in value.split(",") if kind] if isinstance(value, str) else list(value)
            kept = {part["kind"]: part for part in content[slot]}
            content[slot] = [kept.get(kind) or {"kind": kind} for kind in kinds]
        elif slot in SLOTS:
            if content[slot]["kind"] != value:
                content[slot] = {"kind": value}
        else:
            content[slot] = value
        return
    if slot not in SLOTS:
        raise ValueError(f"There is no setting '{path}'.")
    part = content[slot]
    if slot == MANY:
        part = next((entry for entry in part if entry["kind"] == rest[0]), None)
        if part is None:
            raise ValueError(f"There is no setting '{path}': this recipe does not use the penalty '{rest[0]}'.")
        rest = rest[1:]
    if len(rest) != 1 or rest[0] == "kind":
        raise ValueError(f"There is no setting '{path}'.")
    part[rest[0]] = value
