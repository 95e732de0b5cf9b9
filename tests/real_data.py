"""Datasets that come from the Hub: on a computer without them a test is skipped, where everything must run it fails."""

from __future__ import annotations

import os

import pytest

from ganplay.data import datasets
from ganplay.data.images import ImageSet


def needs(kind: str) -> ImageSet:
    """The dataset, when it can be read without a network."""
    dataset = datasets[kind]()
    if not dataset.available():
        reason = f"{kind} is not in the Hugging Face cache"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return dataset
