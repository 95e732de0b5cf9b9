"""Everything a training run carries from one step to the next."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganplay.building import build_networks
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe
from ganplay.tensors import below

NETWORKS = ("generator", "average", "discriminator")
OPTIMISERS = ("generator_optimiser", "discriminator_optimiser")
COUNTERS = ("images", "rounds", "seconds", "generator_updates", "reached")
_FORK = "; a fork keeps them, but for a generator with more maps that draws the same"


class State:
    """Networks, optimisers, the noise stream and the counters of one run.

    Attributes:
        average: the generator with exponentially averaged weights; samples come from it.
        images: real images the discriminator has seen, which is also the position in the order of the data.
        rounds: rounds of critic and generator updates finished.
        generator_updates: updates of the generator, which the average counts in.
        reached: 1 once the target score was reached, else 0.
        seconds: time spent training, without pauses.
    """

    def __init__(self, recipe: Recipe, device: str = "cpu") -> None:
        self.recipe = recipe
        self.device = device
        generator, discriminator = build_networks(recipe)
        self.generator = _place(generator, device)
        self.discriminator = _place(discriminator, device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.generator_optimiser = recipe.generator_optimiser.build(self.generator.parameters())
        self.discriminator_optimiser = recipe.discriminator_optimiser.build(self.discriminator.parameters())
        self.noise = generator_for(recipe.seed, "training noise", device)
        self.images = self.rounds = self.generator_updates = self.reached = 0
        self.seconds = 0.0

    @classmethod
    def initial(cls, recipe: Recipe, device: str = "cpu") -> State:
        """The state before the first step.

        Raises:
            ValueError: the recipe's networks cannot be built.
        """
        return cls(recipe, device)

    def compile(self) -> None:
        """Lets torch compile the networks that train, which pays on a graphics card; names and weights stay."""
        self.generator.compile()
        self.discriminator.compile()

    def scale_learning_rates(self, share: float) -> None:
        """Sets the learning rates of both optimisers to this share of the recipe's."""
        for owner in OPTIMISERS:
            for group in getattr(self, owner).param_groups:
                group["lr"] = share * getattr(self.recipe, owner).learning_rate

    @torch.no_grad()
    def update_average(self) -> None:
        """Moves the average towards the generator; buffers (batch norm's statistics) are copied.

        The decay grows with the number of updates, so that a young average is not an average of noise. The networks
        differ least in their statistics when those are copied, not averaged: the weights lag only slightly.
        """
        count = self.generator_updates
        decay = min(self.recipe.ema_decay, (1 + count) / (10 + count))
        weights = [parameter.detach() for parameter in self.generator.parameters()]
        torch._foreach_lerp_(list(self.average.parameters()), weights, 1 - decay)
        for mean, current in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            mean.copy_(current)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor of the state under a flat name, for a checkpoint."""
        found = {}
        for owner in NETWORKS:
            for name, value in getattr(self, owner).state_dict().items():
                found[f"{owner}/{name}"] = value
        for owner in OPTIMISERS:
            for index, slots in getattr(self, owner).state_dict()["state"].items():
                for name, value in slots.items():
                    if value is not None:
                        found[f"{owner}/{index}/{name}"] = value
        found["noise"] = self.noise.get_state()
        return found

    def counters(self) -> dict[str, float]:
        """The numbers beside the tensors."""
        return {name: getattr(self, name) for name in COUNTERS}

    def restore(self, tensors: Mapping[str, Tensor], counters: Mapping[str, float], *, exact: bool = True) -> None:
        """Sets the state to a saved one.

        Args:
            exact: False for a fork, whose optimisers start anew where their kind or the weights' shapes have changed.

        Raises:
            ValueError: a weight is missing or has another shape.
        """
        for owner in NETWORKS:
            load_network(getattr(self, owner), owner, below(tensors, owner + "/"), remark="" if exact else _FORK)
        for owner in OPTIMISERS:
            saved: dict[int, dict[str, Tensor]] = {}
            for name, value in below(tensors, owner + "/").items():
                index, slot = name.split("/", 1)
                layout = torch.channels_last if value.ndim == 4 else torch.contiguous_format  # as the weights have it
                saved.setdefault(int(index), {})[slot] = value.contiguous(memory_format=layout)
            _load_optimiser(getattr(self, owner), saved, exact)
        self.noise.set_state(tensors["noise"].cpu())
        for name in COUNTERS:
            setattr(self, name, counters[name])
        if not exact:
            self.reached = 0  # another recipe, another target


def _place(network: nn.Module, device: str) -> nn.Module:
    return network.to(device, memory_format=torch.channels_last)


def load_network(
    network: nn.Module, owner: str, saved: dict[str, Tensor], *, assign: bool = False, remark: str = ""
) -> None:
    """Sets every weight and buffer of a network.

    Args:
        owner: what an error sentence calls the network.
        assign: let the tensors become the weights, for a network that was built without memory of its own.
        remark: what ends the sentence about another shape.

    Raises:
        ValueError: a name or a shape differs; the sentence says which.
    """
    own = network.state_dict()
    for name, value in own.items():
        if name not in saved:
            raise ValueError(f"The checkpoint has no weight '{name}' for the {owner} of this recipe.")
        if saved[name].shape != value.shape:
            raise ValueError(
                f"The checkpoint's {owner} has shape {tuple(saved[name].shape)} at '{name}', this recipe's has "
                f"{tuple(value.shape)}{remark}."
            )
    left_over = sorted(set(saved) - set(own))
    if left_over:
        raise ValueError(f"The checkpoint has a weight '{left_over[0]}' that this recipe's {owner} does not have.")
    network.load_state_dict(saved, assign=assign)


def _load_optimiser(optimiser: torch.optim.Optimizer, saved: dict[int, dict[str, Tensor]], exact: bool) -> None:
    content = optimiser.state_dict()  # the learning rates are the recipe's, the moments the checkpoint's
    if not exact and saved and not _fits(optimiser, saved):
        return
    optimiser.load_state_dict({**content, "state": saved})


def _fits(optimiser: torch.optim.Optimizer, saved: dict[int, dict[str, Tensor]]) -> bool:
    """Whether the moments are those of an optimiser of this kind for weights of these shapes."""
    slots = {torch.optim.Adam: "exp_avg", torch.optim.RMSprop: "square_avg", torch.optim.SGD: "momentum_buffer"}
    slot = next((slot for kind, slot in slots.items() if isinstance(optimiser, kind)), None)
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    return all(slot in moments and moments[slot].shape == weights[index].shape for index, moments in saved.items())
