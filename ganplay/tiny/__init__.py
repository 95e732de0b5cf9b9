"""Small GANs on points at thousands of iterations a second: see `ganplay.tiny.engine`."""

from ganplay.tiny.engine import Curves, Snapshot, TinyGan
from ganplay.tiny.view import Frame, View

__all__ = ["Curves", "Frame", "Snapshot", "TinyGan", "View"]
