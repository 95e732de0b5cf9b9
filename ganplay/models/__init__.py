"""The registries of generators and discriminators; each module of this folder adds one or both."""

from ganplay.registry import Registry

generators = Registry("generator", __name__)
discriminators = Registry("discriminator", __name__)
