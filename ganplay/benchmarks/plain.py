"""A recipe's networks in nothing but PyTorch's own layers, so that a textbook loop trains the same nets."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, remove_parametrizations

from ganplay.building import build_networks
from ganplay.models.blocks.stages import FromNoise
from ganplay.recipe import Recipe

TRANSPOSED = ("dcgan",)  # kinds of generators whose first layer their document prints as a transposed convolution


def plain_networks(recipe: Recipe) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of a recipe, with its initial weights, in PyTorch's own layers.

    Raises:
        ValueError: the recipe's networks cannot be built.
    """
    generator, discriminator = build_networks(recipe)
    return plain(generator, recipe.generator.kind in TRANSPOSED), plain(discriminator)


def plain(network: nn.Module, transposed: bool = False) -> nn.Module:
    """A copy whose layers are PyTorch's own, with the same weights and the same outputs.

    How the layers are wired stays, for that is the network. The first map comes from a linear layer, or from a
    transposed convolution over a map of one place where the network's document has one. With a bias at every place of
    the map, or with a spectral norm, the two are not the same network; then it is the linear layer after all.

    Args:
        transposed: prefer the transposed convolution.
    """
    network = copy.deepcopy(network)
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if name != "parametrizations":
                setattr(parent, name, _plain_layer(layer, transposed))
    return network


def _plain_layer(layer: nn.Module, transposed: bool) -> nn.Module:
    """The layer, or what takes its place."""
    if not is_parametrized(layer):
        return _stock(layer, transposed)
    ours = layer.parametrizations.weight[0]
    remove_parametrizations(layer, "weight", leave_parametrized=False)
    stock = _stock(layer, transposed=False)
    carrier = stock[0] if isinstance(stock, nn.Sequential) else stock
    spectral_norm(carrier, eps=ours.eps, dim=ours.dim)
    theirs = carrier.parametrizations.weight[0]
    theirs._u.copy_(ours._u)
    theirs._v.copy_(ours._v)
    return stock


def _stock(layer: nn.Module, transposed: bool) -> nn.Module:
    if isinstance(layer, FromNoise):
        return _first(layer, transposed)
    if isinstance(layer, _DropoutNd):
        return nn.Dropout(layer.p, layer.inplace)
    kind = next(base for base in type(layer).__mro__ if base.__module__.startswith("torch.nn."))
    if kind is not nn.Module and kind is not type(layer):
        layer.__class__ = (
            kind  # a subclass keeps its base's weights and settings; only what it computes differently goes
        )
    return layer


def _first(layer: FromNoise, transposed: bool) -> nn.Sequential:
    latent, width, side = layer.in_features, layer.width, layer.side
    if not transposed or layer.bias is not None:
        linear = nn.Linear(latent, width * side * side, bias=layer.bias is not None)
        linear.load_state_dict(layer.state_dict())
        return nn.Sequential(linear, nn.Unflatten(1, (width, side, side)))
    convolution = nn.ConvTranspose2d(latent, width, side, bias=False)
    convolution.weight.data.copy_(layer.weight.detach().t().reshape(latent, width, side, side))
    return nn.Sequential(nn.Unflatten(1, (latent, 1, 1)), convolution)
