# SPDX-License-Identifier: Apache-2.0
"""The two drawings of a chaos report, as SVG: what happened when, and how long recovery took."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import Any

WIDTH, HEIGHT = 920, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 14, 34
COLOURS = ("#2a78d6", "#eb6834", "#1baf7a", "#eda100", "#e87ba4", "#7a5fd0", "#008300", "#e34948")
MIN_MS, MAX_MS = 1.0, 100_000.0


def timeline(step_ms: int, accepted: Sequence[int], faults: Sequence[Mapping[str, Any]]) -> str:
    """Accepted orders per step as bars; each fault as a line, its recovery as a span."""
    if not accepted:
        return "<p>nothing was accepted</p>"
    most = max(accepted) or 1
    width_ms = step_ms * len(accepted)

    def x(at_ms: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at_ms / width_ms

    def y(count: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / most

    bar = max(0.6, (WIDTH - LEFT - RIGHT) / len(accepted) - 0.5)
    parts = [
        f'<rect class="bar" x="{x(place * step_ms):.1f}" y="{y(count):.1f}" '
        f'width="{bar:.2f}" height="{HEIGHT - BOTTOM - y(count):.1f}"/>'
        for place, count in enumerate(accepted)
        if count
    ]
    for fault in faults:
        until_ms = fault["at_ms"] + (fault["recovery_ms"] or 0)
        words = f"{fault['action']} {fault['victim']}: {_said(fault['recovery_ms'])}"
        parts.append(
            f'<g class="fault"><title>{escape(words)}</title>'
            f'<rect x="{x(fault["at_ms"]):.1f}" y="{TOP}" '
            f'width="{max(2.0, x(until_ms) - x(fault["at_ms"])):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"/></g>'
        )
    seconds = max(1, round(width_ms / 1000 / 8))
    ticks = [(x(s * 1000), f"{s} s") for s in range(0, int(width_ms / 1000) + 1, seconds)]
    return _frame(parts, ticks, [(y(0), "0"), (y(most), str(most))])


def ecdf(by_class: Mapping[str, Sequence[float]]) -> str:
    """The share of recoveries within a time, for each kind of fault; time on a log scale."""

    def x(ms: float) -> float:
        place = log10(min(max(ms, MIN_MS), MAX_MS) / MIN_MS) / log10(MAX_MS / MIN_MS)
        return LEFT + (WIDTH - LEFT - RIGHT) * place

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = []
    for number, (name, samples) in enumerate(by_class.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = [f"M{LEFT},{y(0):.1f}"]
        for place, sample in enumerate(sorted(samples), 1):
            path.append(f"H{x(sample):.1f}V{y(place / len(samples)):.1f}")
        path.append(f"H{WIDTH - RIGHT}")
        parts.append(
            f'<path class="curve" stroke="{colour}" d="{"".join(path)}">'
            f"<title>{escape(name)}</title></path>"
        )
    labels = {1.0: "1 ms", 10.0: "10 ms", 100.0: "100 ms", 1_000.0: "1 s", 10_000.0: "10 s"}
    ticks = [(x(ms), label) for ms, label in labels.items()]
    return _frame(parts, ticks, [(y(0), "0"), (y(0.5), "half"), (y(1), "all")])


def legend(names: Sequence[str]) -> str:
    """Which colour is which kind of fault."""
    items = (
        f'<span><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(items)}</p>'


def _frame(
    parts: Sequence[str], x_ticks: Sequence[tuple[float, str]], y_ticks: Sequence[tuple[float, str]]
) -> str:
    lines = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        for y, label in y_ticks
    ]
    lines += [
        f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{label}</text>'
        for x, label in x_ticks
    ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join([*lines, *parts])}</svg>'


def _said(recovery_ms: float | None) -> str:
    return "never recovered" if recovery_ms is None else f"{recovery_ms:.0f} ms"
