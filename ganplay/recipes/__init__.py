"""The registry of named recipes; each module of this folder is one document's."""

from ganplay.recipe import Recipe
from ganplay.registry import Registry

recipes = Registry("recipe", __name__)


def recipe(name: str) -> Recipe:
    """The recipe registered under `name`.

    Raises:
        ValueError: there is none; the sentence lists the known names.
    """
    return recipes[name]()
