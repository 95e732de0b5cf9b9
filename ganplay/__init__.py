"""ganplay: five papers' GANs as recipes that train, break and can be sampled."""

__version__ = "0.1.0"
