"""The registry of every dataset; each module of this folder adds one."""

from ganplay.registry import Registry

datasets = Registry("dataset", __name__)
