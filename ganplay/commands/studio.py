"""`ganplay studio`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (1 to 65535; default %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer only)")
    parser.add_argument(
        "--models", type=Path, help="a folder whose model folders appear in the list (default: GANPLAY_MODELS)"
    )


def execute(options: argparse.Namespace) -> int:
    if not 1 <= options.port <= 65535:
        raise ValueError(f"port is {options.port}; it must be 1 to 65535.")
    if options.models is not None:
        if not options.models.is_dir():
            raise ValueError(f"There is no folder {options.models}; it would hold a folder for each model.")
        os.environ["GANPLAY_MODELS"] = str(options.models.absolute())
    from ganplay.ui.server import prepare_environment

    prepare_environment()  # before Gradio and the Hub's client read it
    import torch

    torch.set_num_threads(1)  # sampling for many viewers at once is faster with one thread each
    from ganplay.studio.app import main

    main(options.port, options.host)
    return 0
