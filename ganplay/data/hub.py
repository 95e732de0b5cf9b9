"""Image sets that are parquet files on the Hugging Face Hub: in its cache, or downloaded with a deadline of our own.

The Hub's client may block for minutes when a network is half alive, so it works in a thread that we stop waiting for.
"""

from __future__ import annotations

import errno
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ganplay.data.images import SPLITS, Arrays, ImageSet, Progress

PATIENCE = 30.0  # seconds without a single new byte
INSTEAD = "choose the embedded dataset 'digits', which needs no network"


@dataclass(frozen=True)
class HubSet(ImageSet):
    """A set whose splits are the files `folder`/{train,test}-00000-of-00001.parquet of one dataset repository.

    Attributes:
        repository: owner and name on the Hub.
        folder: of the parquet files; the first use names the set's configuration so.
        column: of the pictures, each a struct with the encoded `bytes`; the labels' column is `label`.
    """

    repository: ClassVar[str]
    folder: ClassVar[str]
    column: ClassVar[str]

    def available(self) -> bool:
        return all(self._cached(split) for split in SPLITS)

    def read(self, split: str, progress: Progress) -> Arrays:
        """Images uint8 (N, *native), labels int64 (N,), all class names.

        Raises:
            ValueError: offline and not cached, unreachable, or the file is damaged.
        """
        path, start = self._cached(split), 0.0
        if path is None:
            path, start = self._download(split, lambda text, share: progress(text, 0.5 * share)), 0.5
        try:
            images, labels = self._decode(path, lambda text, share: progress(text, start + (1 - start) * share))
        except Exception as error:  # pyarrow and Pillow raise many kinds for damaged files, none of them our mistake
            reason = str(error).strip().split("\n")[0][:120].rstrip(".")
            remedy = f"delete '{path}' and try again, or {INSTEAD}"
            raise ValueError(f"The downloaded file of {self.kind} is damaged ({reason}); {remedy}.") from None
        return images, labels, type(self).class_names

    def _file(self, split: str) -> str:
        return f"{self.folder}/{split}-00000-of-00001.parquet"

    def _cached(self, split: str) -> str | None:
        """The file in the Hub's cache, without asking the network."""
        from huggingface_hub import try_to_load_from_cache  # imported late: it takes half a second

        found = try_to_load_from_cache(self.repository, self._file(split), repo_type="dataset")
        return found if isinstance(found, str) else None

    def _download(self, split: str, progress: Progress) -> str:
        from huggingface_hub import hf_hub_download

        transfer = _Transfer()

        def fetch() -> str:
            return hf_hub_download(
                self.repository, self._file(split), repo_type="dataset", tqdm_class=transfer.progress_bar()
            )

        thread = threading.Thread(target=transfer.run, args=(fetch,), daemon=True, name=f"download {self.kind}")
        thread.start()
        while not transfer.ended.wait(0.2):
            waited = time.monotonic() - transfer.heard
            if waited > PATIENCE:
                raise ValueError(self._failure(f"nothing arrived for {PATIENCE:.0f} seconds"))
            progress(f"Downloading {self.title}: {transfer.bytes / 1e6:.1f} MB", transfer.share)
        if transfer.error is not None:
            raise ValueError(self._failure(_reason(transfer.error))) from transfer.error
        return str(transfer.path)

    def _failure(self, reason: str) -> str:
        return f"{self.kind} is not on this computer and could not be downloaded ({reason}); go online, or {INSTEAD}."

    def _decode(self, path: str, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
        import pyarrow.parquet
        from PIL import Image

        with pyarrow.parquet.ParquetFile(path) as file:
            count = file.metadata.num_rows
            images, labels = np.empty((count, *self.native), np.uint8), np.empty(count, np.int64)
            mode, row = "L" if self.native[0] == 1 else "RGB", 0
            for batch in file.iter_batches(1_000, columns=[self.column, "label"]):
                for encoded in batch.column(self.column).field("bytes").to_pylist():
                    with Image.open(io.BytesIO(encoded), formats=("PNG",)) as picture:
                        pixels = np.asarray(picture.convert(mode))  # (H, W) or (H, W, 3)
                    images[row] = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
                    row += 1
                labels[row - len(batch) : row] = batch.column("label").to_numpy()
                progress(f"Decoding {self.title}: {row:,} of {count:,} images", row / count)
        if count == 0 or labels.min() < 0 or labels.max() >= len(type(self).class_names):
            raise ValueError("it has no rows, or labels of unknown classes")
        return images, labels


class _Transfer:
    """What a download thread tells the thread that waits for it."""

    def __init__(self) -> None:
        self.bytes = 0
        self.share = 0.0
        self.heard = time.monotonic()  # of the last sign of life
        self.path: str | None = None
        self.error: Exception | None = None
        self.ended = threading.Event()

    def run(self, fetch: Callable[[], str]) -> None:
        try:
            self.path = fetch()
        except Exception as error:  # handed to the waiting thread, which makes a sentence of it
            self.error = error
        finally:
            self.ended.set()

    def progress_bar(self) -> type:
        """A tqdm class that draws nothing and notes here what it is told."""
        from tqdm import tqdm

        transfer = self

        class Bar(tqdm):
            monitor_interval = 0  # no monitoring thread: nothing is drawn

            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **{**options, "file": io.StringIO(), "disable": False})

            def update(self, n: float | None = 1) -> bool | None:
                drawn = super().update(n)
                if n:
                    transfer.heard = time.monotonic()
                # A transfer may have two bars, of bytes received and of bytes written; the further one is shown.
                transfer.bytes = max(transfer.bytes, int(self.n))
                if self.total:
                    transfer.share = max(transfer.share, min(1.0, self.n / self.total))
                return drawn

        return Bar


def _reason(error: Exception) -> str:
    from huggingface_hub.constants import HF_HUB_OFFLINE

    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    if HF_HUB_OFFLINE:
        return "offline mode is on"
    response = getattr(error, "response", None)
    if response is not None:
        return f"the Hub answered {response.status_code}"
    return "the Hugging Face Hub cannot be reached"
