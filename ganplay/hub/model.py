"""A generator as an object of the Hub: `GanModel.from_pretrained(...)`, `save_pretrained`, `push_to_hub`.

It takes from `huggingface_hub` how a model is named, saved and pushed; what lies in a folder is this project's own
layout, read and checked like any other. The mixin's ways to read pickled weights are shut.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, NoReturn

import torch
from huggingface_hub import PyTorchModelHubMixin
from torch import Tensor, nn

from ganplay import sources
from ganplay.checkpoint import MODEL_FORMAT
from ganplay.files import write_atomically
from ganplay.hub.publishing import MESSAGE, create, writing
from ganplay.hub.reference import HUB, MAIN, Reference
from ganplay.layout import CONFIG, GENERATOR, PIECE_BYTES, pieces
from ganplay.recipe import Recipe
from ganplay.tensors import write_pieces


class GanModel(nn.Module, PyTorchModelHubMixin):
    """A generator `(z (N, latent), y (N,) or None) -> (N, *sample)` with what is known about it.

    Attributes:
        recipe: how it was trained.
        images: real images that its discriminator has seen.
        module: the generator itself, in eval mode.
    """

    def __init__(self, recipe: Recipe, images: int, module: nn.Module) -> None:
        super().__init__()
        self.recipe, self.images, self.module = recipe, images, module
        self.eval()

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.module(z, y)

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> GanModel:
        """The generator of a bundled checkpoint, a model folder, or a repository on the Hub.

        Args:
            name: the name of a bundled checkpoint or a run's id, a path, or `owner/name` on the Hub, which is
                downloaded if it is not on this computer. A path that exists comes before a repository.
            revision: of the repository: a branch, a tag or a commit; "main" by default.

        Raises:
            ValueError: there is no such thing, it cannot be had, or it cannot be read.
        """
        text = str(name)
        if revision is not None:
            text = Reference(text.removeprefix(HUB), revision).key
        elif not text.startswith(sources.KINDS) and text.count("/") == 1 and not Path(text).exists():
            text = Reference(text, MAIN).key
        loaded = sources.resolve(text, allow_paths=True)
        return cls(loaded.recipe, loaded.images, copy.deepcopy(loaded.module))  # others sample theirs meanwhile

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool | None = None,
        branch: str | None = None,
        create_pr: bool | None = None,
        commit_message: str = MESSAGE,
    ) -> str:
        """Saves the model and uploads its files in one commit, with the token of the environment (HF_TOKEN).

        Args:
            repo_id: owner/name; it is created where there is none.
            private: True for a repository that only its owner sees; one that is public already is then refused.

        Returns:
            the address of the commit.

        Raises:
            ValueError: there is no token, or the Hub refuses.
        """
        with writing(Reference(repo_id, branch or MAIN)) as api:
            create(api, repo_id, private)
            return super().push_to_hub(
                repo_id, private=private, token=api.token, branch=branch, create_pr=create_pr,
                commit_message=commit_message,
            )  # fmt: skip

    def _save_pretrained(self, save_directory: Path) -> None:
        """Writes the files of a model folder; weights in half precision where that loses not a bit of any of them."""
        config = {"format": MODEL_FORMAT, "images": self.images, "recipe": self.recipe.to_json()}
        tensors = {name: _smallest(value) for name, value in self.module.state_dict().items()}
        metadata = {"format": MODEL_FORMAT, "images": str(self.images)}
        paths = [save_directory / file for file in pieces(GENERATOR)]
        write_pieces(paths, tensors, metadata, PIECE_BYTES)
        write_atomically(save_directory / CONFIG, json.dumps(config, indent=1) + "\n")
        write_atomically(save_directory / "README.md", _card(self.recipe, self.images))

    @classmethod
    def _from_pretrained(cls, **_: Any) -> NoReturn:
        raise ValueError("A GanModel is loaded by from_pretrained, which checks the folder first.")

    @classmethod
    def _load_as_pickle(cls, *_: Any) -> NoReturn:
        raise ValueError("Weights are read from safetensors files only; pickled ones could run any program.")


def _smallest(value: Tensor) -> Tensor:
    half = value.half() if value.dtype == torch.float32 else value
    return half if torch.equal(half.to(value.dtype), value) else value


def _card(recipe: Recipe, images: int) -> str:
    """A short model card; `ganplay export` and `ganplay publish` write the whole one of a run."""
    return f"""---
library_name: ganplay
license: mit
tags:
- gan
- {recipe.generator.kind}
---

# {recipe.title or recipe.generator.kind}

A generator that ganplay trained on {images:,} real images of {recipe.dataset.title}. `config.json` holds the recipe.

```python
from ganplay.hub import GanModel

model = GanModel.from_pretrained("OWNER/NAME")  # or the path of this folder
```
"""
