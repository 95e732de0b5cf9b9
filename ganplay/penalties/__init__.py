"""The registry of every penalty and constraint on the discriminator; each module of this folder adds one."""

from ganplay.registry import Registry

penalties = Registry("penalty", __name__)
