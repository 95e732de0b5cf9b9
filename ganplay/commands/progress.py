"""A progress bar for work that reports a sentence and a share."""

from __future__ import annotations

import tqdm


class Bar:
    """Shows `progress(sentence, share)` calls as one line on standard error, and nothing where that is a file."""

    def __enter__(self) -> Bar:
        layout = "{desc} {bar} {percentage:3.0f}%"
        self._bar = tqdm.tqdm(total=100, unit="%", bar_format=layout, leave=False, disable=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, sentence: str, share: float) -> None:
        self._bar.set_description_str(sentence, refresh=False)
        self._bar.n = round(100 * share)
        self._bar.refresh()

    def write(self, line: str) -> None:
        """Prints a line to standard output without tearing the bar."""
        self._bar.write(line)
