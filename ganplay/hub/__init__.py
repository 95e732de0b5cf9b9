"""Models on the Hugging Face Hub: named, downloaded, loaded and published. Nothing here imports torch by itself.

`GanModel` loads and saves, `download` waits for a repository, `fetch` lets views wait without blocking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganplay.hub.downloading import download
from ganplay.hub.fetching import Fetch, fetch

if TYPE_CHECKING:
    from ganplay.hub.model import GanModel

__all__ = ["Fetch", "GanModel", "download", "fetch"]


def __getattr__(name: str) -> Any:
    if name != "GanModel":
        raise AttributeError(f"module 'ganplay.hub' has no attribute '{name}'")
    from ganplay.hub.model import GanModel

    return GanModel
