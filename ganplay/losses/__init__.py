"""The registry of every loss; each module of this folder adds one."""

from ganplay.registry import Registry

losses = Registry("loss", __name__)
