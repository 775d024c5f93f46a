"""Horizontal bars as an SVG picture, without any other package. The same bars give the same text."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, LABEL_WIDTH, VALUE_WIDTH = 760, 190, 60
BAR, GAP, TOP, LEGEND_STEP = 14, 14, 64, 140


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar of seconds in the color of its series; `light` is the part at its end that is drawn lighter."""

    series: str
    seconds: float
    light: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Group:
    label: str
    bars: Sequence[Bar]


def svg(title: str, groups: Sequence[Group], colors: dict[str, str], *, light: str) -> str:
    """The picture; `light` is the legend's text for the lighter parts. Readable on a light and on a dark page."""
    longest = max((bar.seconds for group in groups for bar in group.bars), default=0.0) or 1.0
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest
    body: list[str] = []
    top = TOP
    for group in groups:
        middle = top + len(group.bars) * BAR / 2 + 4
        body.append(_text(LABEL_WIDTH - 8, middle, group.label, anchor="end"))
        for bar in group.bars:
            color, full = colors[bar.series], (bar.seconds - bar.light) * scale
            body.append(_rectangle(LABEL_WIDTH, top, full, color))
            body.append(_rectangle(LABEL_WIDTH + full, top, bar.light * scale, color, opacity=0.45))
            body.append(_text(LABEL_WIDTH + bar.seconds * scale + 6, top + BAR - 3, f"{bar.seconds:.1f} s", size=11))
            top += BAR
        top += GAP
    head = [_text(12, 22, title, size=15)]
    legend = [*((name, color, 1.0) for name, color in colors.items()), (light, "#888888", 0.45)]
    for place, (name, color, opacity) in enumerate(legend):
        head.append(_rectangle(12 + place * LEGEND_STEP, 36, 12, color, height=12, opacity=opacity))
        head.append(_text(30 + place * LEGEND_STEP, 46, name, size=12))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
        ' font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>',
        *head,
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _rectangle(
    left: float, top: float, width: float, color: str, *, height: float = BAR - 2, opacity: float = 1.0
) -> str:
    shape = f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {shape} fill="{color}" fill-opacity="{opacity:g}"/>'


def _text(left: float, top: float, text: str, *, size: int = 13, anchor: str = "start") -> str:
    place = f'x="{left:.1f}" y="{top:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="#222222">{escape(text)}</text>'
