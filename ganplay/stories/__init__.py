"""The registry of every story; each module of this folder adds some."""

from ganplay.registry import Registry

stories = Registry("story", __name__)
