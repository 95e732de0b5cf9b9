"""The network behind FID, KID and the Inception score: Inception v3 of December 2015 as TensorFlow published it.

torch-fidelity holds the network, exact to the details that the scores depend on: its average pooling and its resize are
TensorFlow's. Features are the 2,048 of the last pooling (arXiv 1706.08500), logits the
1,008 without their bias, as the Inception score has always used them (arXiv 1606.03498).
"""

from __future__ import annotations

import hashlib
import io
import urllib.request
from pathlib import Path

import torch
from torch import Tensor

from ganplay.contracts import Dataset
from ganplay.data.resident import ignore
from ganplay.files import atomic_file
from ganplay.metrics.features import Describe, Description, FeatureSet, Progress, features, resized, to_bytes

# The file that torch-fidelity uses, and pytorch-fid under another name; its name holds the checksum's first digits.
ADDRESS = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BYTES = 95_628_359
PATIENCE = 30.0  # seconds without a single new byte
LARGEST = 299  # pixels: what is larger is made smaller with antialiasing, what is smaller the network itself enlarges
INSTEAD = "choose other features, such as cifar10-classifier, mnist-classifier or pixels"


@features.register("inception")
class Inception(FeatureSet):
    """The standard features. Slow without a graphics card: half an hour for 10,000 images on a core."""

    title = "Inception 2015"
    standard = True
    has_logits = True

    def available(self) -> bool:
        path = weights_path()
        return path.is_file() and path.stat().st_size == BYTES

    def fits(self, dataset: Dataset, shape: tuple[int, ...]) -> bool:
        return len(shape) == 3

    def stamp(self) -> str:
        return SHA256[:16]

    def load(self, progress: Progress = ignore) -> Describe:
        if not self.available():
            _download(weights_path(), progress)
        network = _network()
        device = "cuda" if torch.cuda.is_available() else "cpu"
        network.to(device)

        def describe(images: Tensor) -> Description:
            if images.ndim != 4:
                raise ValueError("The features 'inception' need images; these samples are points. Use pixels.")
            size = (3, min(images.shape[2], LARGEST), min(images.shape[3], LARGEST))
            pooled, logits = network(to_bytes(resized(images, size)).to(device))
            return Description(pooled.cpu(), logits.cpu())

        return describe


def weights_path() -> Path:
    """Where torch keeps what it downloads, so that other programs' copy serves too."""
    return Path(torch.hub.get_dir()) / "checkpoints" / ADDRESS.rsplit("/", 1)[1]


def _network() -> torch.nn.Module:
    """The network with the weights on this computer.

    Raises:
        ValueError: they are not the published ones.
    """
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    path = weights_path()
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise ValueError(f"The file '{path}' is not the published Inception network; delete it and try again.")
    weights = torch.hub.load_state_dict_from_url(ADDRESS, map_location="cpu", progress=False, weights_only=True)
    # The library would unpickle whatever file it is told; it gets a copy of plain tensors, written here and now.
    copy = io.BytesIO()
    torch.save(weights, copy)
    copy.seek(0)
    return FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], feature_extractor_weights_path=copy)


def _download(path: Path, progress: Progress) -> None:
    """The file appears under its name complete and checked, or not at all."""
    digest, received = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(ADDRESS, timeout=PATIENCE) as answer, atomic_file(path) as file:
            while block := answer.read(1 << 18):
                received += len(block)
                if received > BYTES:
                    raise ValueError("it is longer than the published file")
                digest.update(block)
                file.write(block)
                progress(f"Downloading the Inception network: {received / 1e6:.0f} MB", received / BYTES)
            if digest.hexdigest() != SHA256:
                raise ValueError("its checksum is not that of the published file")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ValueError(f"The Inception network could not be downloaded ({str(reason)[:120]}); {INSTEAD}.") from None
