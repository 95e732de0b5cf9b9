"""The registry of every metric; each module of this folder adds one."""

from ganplay.registry import Registry

metrics = Registry("metric", __name__)
