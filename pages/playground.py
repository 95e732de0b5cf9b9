"""2-D playground: one or two GANs on points, live; play, stop, change and go back in time."""

from __future__ import annotations

from ganplay.ui.playground import playground

playground()
