"""A network as a drawing: one box a layer, from the input down to the output, with its branches and sums.

The drawing is 360 wide, which is what a phone shows, so that its letters are not made smaller there.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from ganplay.probes.layers import INPUT, Layer, Wiring
from ganplay.probes.tracing import Origin
from ganplay.ui.sketch import FAKE, INKS, REAL

WIDTH = 360
CIRCLE, PILL = 24, 26  # heights
LINE, LETTER = 16, 6.2  # height of a line of text and mean width of a letter in a wide font
GAP = 24  # between one rank and the next
NARROW = 32  # width of the lane of a line that passes a rank
COLOURS = {"generator": FAKE, "discriminator": REAL}
OUTPUT, CLASSES = -(10**6), -(10**6) - 1  # numbers of what a network gives back
NAMES = {
    (INPUT, "generator"): "noise z", (OUTPUT, "generator"): "picture G(z)", (INPUT, "discriminator"): "picture x",
    (OUTPUT, "discriminator"): "logit D(x)", (CLASSES, "discriminator"): "class logits",
}  # fmt: skip
NORMS = ("batch", "conditional batch", "instance", "layer", "group")
SHORT = {"transposed convolution": "transp. conv.", "convolution": "conv.", "embedding": "label code"}
_STYLE = (
    "<style>text{fill:currentColor;font-family:sans-serif}.a{font-size:11.5px;font-weight:600}"
    ".b{font-size:11.5px;fill-opacity:.85}.m{text-anchor:middle}</style>"
    "<defs><marker id='t' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='6' markerHeight='6' orient='auto'>"
    "<path d='M0 0L8 4L0 8z' fill='currentColor' fill-opacity='.75'/></marker></defs>"
)


@dataclass
class Node:
    """A layer, a sum, the input, the output, or a line that passes a rank.

    Attributes:
        number: as in `ganplay.probes.tracing.Origin`; a line has that of the node it goes to.
        rank: counted from the top.
        reads: the nodes above that lead here, with the word for what happens on the way.
        x, top: of the middle and of the upper edge in the drawing.
    """

    number: int
    rank: int
    reads: list[tuple[Node, str]] = field(default_factory=list)
    line: bool = False
    height: float = PILL
    width: float = 0.0
    x: float = WIDTH / 2
    top: float = 0.0


def diagram(wiring: Wiring, network: str, theme: str) -> str:
    """The drawing of "generator" or "discriminator" as SVG for the theme "light" or "dark"."""
    ranks = _ranks(wiring)
    _place(ranks, wiring)
    nodes = [node for rank in ranks for node in rank]
    height = max(node.top + node.height for node in nodes) + 4
    parts = [_arrow(above, node, word) for node in nodes for above, word in node.reads]
    parts += [_drawn(node, wiring, network) for node in nodes if not node.line]
    ink = INKS.get(theme, INKS["light"])
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0f}' width='{WIDTH}' "
        f"height='{height:.0f}' color='{ink}'>{_STYLE}{''.join(parts)}</svg>"
    )


def in_words(wiring: Wiring, network: str) -> str:
    """What the drawing shows, for those who cannot see it."""
    rows = [f"{title(row)} to {shape(row.output)}" for row in wiring.rows]
    sums = len(wiring.trace.sums)
    return f"The {network}: {'; '.join(rows)}." + (f" Branches are added in {sums} places." if sums else "")


def title(row: Layer, short: bool = False) -> str:
    """A layer in a few words."""
    name = SHORT.get(row.operation, row.operation) if short or row.operation == "embedding" else row.operation
    if row.kernel == 0 or row.operation == "self-attention":
        return name
    return f"{name} {row.kernel}×{row.kernel}" + (f" /{row.stride}" if short else f", stride {row.stride}")


def shape(output: Sequence[int]) -> str:
    """A shape as "64 × 16 × 16"; units alone as "128 units"."""
    return " × ".join(map(str, output)) if len(output) > 1 else f"{output[0]} unit{'s' if output[0] > 1 else ''}"


def _ranks(wiring: Wiring) -> list[list[Node]]:
    """The nodes by rank, each one below all that it reads, with a line for every rank that a connection passes."""
    trace, nodes = wiring.trace, {INPUT: Node(INPUT, 0)}

    def connect(number: int, origins: Sequence[Origin]) -> None:
        found = [(nodes[above], origin) for origin in origins for above in sorted(origin.nodes)]
        node = Node(number, 1 + max((above.rank for above, _ in found), default=-1))
        for above, origin in found:
            words = [event.word for event in origin.events if event.word not in ("sum", "concatenation")]
            node.reads.append((above, ", ".join(words) if number < 0 else ""))
        nodes[number] = node

    for number in trace.order:
        connect(number, trace.sums.get(number) or [wiring.reads[number]])
    connect(OUTPUT, [wiring.output])
    read = {above.number for node in nodes.values() for above, _ in node.reads}
    unread = [number for number in trace.order if number not in read and wiring.reads[number].nodes]
    if unread:  # an auxiliary classifier
        connect(CLASSES, [Origin(frozenset(unread))])
    ranks: list[list[Node]] = [[] for _ in range(1 + max(node.rank for node in nodes.values()))]
    for node in nodes.values():
        ranks[node.rank].append(node)
    for node in list(nodes.values()):
        node.reads = [(_passing(above, node, word, ranks), word) for above, word in node.reads]
    return ranks


def _passing(above: Node, node: Node, word: str, ranks: list[list[Node]]) -> Node:
    """The end of a chain of lines from `above` to the rank over `node`."""
    for rank in range(above.rank + 1, node.rank):
        line = Node(node.number, rank, [(above, word if rank == above.rank + 1 else "")], line=True, height=0)
        ranks[rank].append(line)
        above = line
    return above


def _place(ranks: list[list[Node]], wiring: Wiring) -> None:
    """Gives every node its place: in a rank from left to right by where its inputs are."""
    top = 2.0
    for rank in ranks:
        rank.sort(key=lambda node: (_middle(node), node.line))
        lines = sum(node.line for node in rank)
        boxes = len(rank) - lines
        wide = min(336, (WIDTH - 2 - lines * NARROW) / max(1, boxes) - 6)
        for node in rank:
            node.width = NARROW if node.line else wide
            node.height = 0 if node.line else _height(node, wiring)
        height = max(node.height for node in rank)
        used = sum(NARROW if node.line else wide + 6 for node in rank)
        left = (WIDTH - used) / 2
        for node in rank:
            node.x = left + (NARROW if node.line else wide + 6) / 2
            node.top, left = top + (height - node.height) / 2, left + (NARROW if node.line else wide + 6)
            if node.line:
                node.top, node.height = top, height
        top += height + GAP


def _middle(node: Node) -> float:
    return sum(above.x for above, _ in node.reads) / len(node.reads) if node.reads else WIDTH / 2


def _arrow(above: Node, node: Node, word: str) -> str:
    """From the lower edge of one node to the upper edge of another, and down through a line's own rank."""
    start, end = above.top + above.height, node.top
    half = (end - start) / 2
    curve = f"{above.x:.1f} {start + half:.1f} {node.x:.1f} {end - half:.1f} {node.x:.1f} {end:.1f}"
    path = f"M{above.x:.1f} {start:.1f}C{curve}"
    path += f"V{node.top + node.height:.1f}" if node.line else ""
    tip = "" if node.line else " marker-end='url(#t)'"
    drawn = f"<path d='{path}' fill='none' stroke='currentColor' stroke-opacity='.6' stroke-width='1.6'{tip}/>"
    if not word or (above.line and not node.line):  # a chain of lines has said it already
        return drawn
    if node.line:
        x, y = node.x + (12 if node.x > WIDTH / 2 else -5), node.top + node.height / 2  # away from the bends
        turned = f"transform='rotate(-90 {x:.1f} {y:.1f})'"
        return f"{drawn}<text x='{x:.1f}' y='{y:.1f}' class='b m' {turned}>{escape(word)}</text>"
    x, y = (above.x + node.x) / 2 - 14, (start + end) / 2 + 4
    return f"{drawn}<text x='{x:.1f}' y='{y:.1f}' class='b' text-anchor='end'>{escape(word)}</text>"


def _drawn(node: Node, wiring: Wiring, network: str) -> str:
    if node.number in wiring.trace.sums:
        middle, ink = node.top + CIRCLE / 2, "stroke='currentColor' stroke-width='1.7'"
        return (
            f"<circle cx='{node.x:.1f}' cy='{middle:.1f}' r='{CIRCLE / 2}' fill='none' {ink}/>"
            f"<path d='M{node.x - 6:.1f} {middle:.1f}h12m-6 -6v12' {ink}/>"
        )
    if node.number in (INPUT, OUTPUT, CLASSES):
        return _pill(node, NAMES[node.number, network])
    return _box(node, wiring, COLOURS[network])


def _height(node: Node, wiring: Wiring) -> float:
    if node.number in wiring.trace.sums:
        return CIRCLE
    if node.number in (INPUT, OUTPUT, CLASSES):
        return PILL
    return 13 + LINE * max(2, len(_texts(node, wiring)))


def _pill(node: Node, text: str) -> str:
    width = min(node.width, 120)
    return (
        f"<rect x='{node.x - width / 2:.1f}' y='{node.top:.1f}' width='{width:.1f}' height='{PILL}' rx='13' "
        "fill='none' stroke='currentColor' stroke-opacity='.6'/>"
        f"<text x='{node.x:.1f}' y='{node.top + 17.5:.1f}' class='a m'>{text}</text>"
    )


def _texts(node: Node, wiring: Wiring) -> list[str]:
    """The lines in a box: what it is, what comes before it, its output, what follows it."""
    row, short = wiring.rows[node.number], _is_narrow(node)
    finish = [f"{row.norm} norm" if row.norm != "none" else "", row.activation if row.activation != "none" else ""]
    finish += [f"dropout {row.dropout:g}"] if row.dropout else []
    before = [word for word in row.before if word not in ("sum", "concatenation")]
    before = [f"{word} norm" if word in NORMS else word for word in before]
    if row.operation == "embedding" and not any(node.number in origin.nodes for origin in wiring.reads):
        finish.append("for the gains of the norms")
    letters = int((node.width - _zone(node) - 6) / LETTER)
    after = textwrap.wrap("after " + ", ".join(before), letters) if before else []
    return [title(row, short), *after, shape(row.output), *textwrap.wrap(", ".join(filter(None, finish)), letters)]


def _is_narrow(node: Node) -> bool:
    return node.width < 250


def _zone(node: Node) -> int:
    """Width of the place for the block of maps."""
    return 36 if _is_narrow(node) else 64


def _box(node: Node, wiring: Wiring, colour: str) -> str:
    row, left, zone = wiring.rows[node.number], node.x - node.width / 2, _zone(node)
    texts = "".join(
        f"<text x='{left + zone:.1f}' y='{node.top + 18 + LINE * index:.1f}' class='{'b' if index else 'a'}'>"
        f"{escape(text)}</text>"
        for index, text in enumerate(_texts(node, wiring))
    )
    return (
        f"<rect x='{left:.1f}' y='{node.top:.1f}' width='{node.width:.1f}' height='{node.height}' rx='9' "
        f"fill='{colour}' fill-opacity='.12' stroke='{colour}' stroke-width='1.5'/>"
        f"{_block(left + 6, node.top + node.height / 2, zone - 12, row, colour)}{texts}"
    )


def _block(left: float, middle: float, room: float, row: Layer, colour: str) -> str:
    """A block as tall as the maps' side and as deep as there are maps, both on a log scale."""
    side = row.output[-1] if len(row.output) == 3 else 1
    face = room * 0.62 * (0.22 + 0.78 * min(1.0, math.log2(max(1, side)) / 6))
    deep = room * 0.38 * (0.12 + 0.88 * min(1.0, math.log2(max(1, row.output[0])) / 11))
    x, y, slant = left + (room - face - deep) / 2, middle - face / 2 + deep * 0.25, deep * 0.5
    front = f"<rect x='{x:.1f}' y='{y:.1f}' width='{face:.1f}' height='{face:.1f}' fill='{colour}' fill-opacity='.75'/>"
    upper = f"M{x:.1f} {y:.1f}l{deep:.1f} {-slant:.1f}h{face:.1f}l{-deep:.1f} {slant:.1f}z"
    right = f"M{x + face:.1f} {y:.1f}l{deep:.1f} {-slant:.1f}v{face:.1f}l{-deep:.1f} {slant:.1f}z"
    return (
        f"{front}<path d='{upper}' fill='{colour}' fill-opacity='.5'/>"
        f"<path d='{right}' fill='{colour}' fill-opacity='.32'/>"
    )
