# SPDX-License-Identifier: Apache-2.0
"""A chaos report as one HTML file, without anything to load."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from tradewind.cli.chaos import charts

SENTENCES = {
    "K1": "no acknowledged order is lost",
    "K2": "no order reaches the venue twice",
    "K3": "nothing reaches the venue that nobody asked for",
    "K4": "every order lives a life that an order can have",
    "K5": "positions are the sum of the venue's fills, everywhere",
    "K6": "exposure never exceeds a limit, whatever may still fill",
    "K7": "replicas are equal",
    "K8": "replaying the journal gives the same state",
    "K9": "events and archive have no gap and no surplus",
    "K14": "after each fault it works again",
    "T3": "what is stored last of each order is what the venue has",
}

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1a; --soft: #6b6a64; --line: #dcdad2;
  --paper: #fcfcfb; --bar: #2a78d6; --harm: #e3494833; --good: #006300; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6df; --soft: #9c9a92; --line: #3a3936;
  --paper: #1a1a19; --bar: #3987e5; --harm: #e6676744; --good: #0ca30c; --bad: #f07068; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.verdict { font-weight: 600; } .holds { color: var(--good); } .fails { color: var(--bad); }
.facts, .legend { color: var(--soft); } .legend span { margin-right: 1.2rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--soft); }
.grid { stroke: var(--line); } .bar { fill: var(--bar); } .fault rect { fill: var(--harm); }
.curve { fill: none; stroke-width: 2; }
"""


def render(report: Mapping[str, Any]) -> str:
    """The page."""
    by_class = _by_class(report)
    holds = not any(report["violations"].values()) and not report["unresolved"]
    verdict = "invalid: it shows nothing" if not report["valid"] else "holds" if holds else "fails"
    title = f"{report['scenario']}, {report['faults']} faults, {report['orders']} orders"
    planted = f" with the bug {report['sabotage']}" if report["sabotage"] else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>{STYLE}</style></head><body>
<h1>{escape(title + planted)}</h1>
<p class="verdict {"holds" if holds and report["valid"] else "fails"}">{verdict}</p>
<p class="facts">seed {report["seed"]}, commit {escape(report["commit"])},
{escape(report["machine"])}. Clients and the judge are processes of their own; the clock starts at
the injection.</p>
<h2>Orders accepted, and faults</h2>
{charts.timeline(report["timeline"]["step_ms"], report["timeline"]["accepted"], report["log"])}
<h2>Time to recovery: the share of faults that were over after so long</h2>
{charts.ecdf(by_class)}
{charts.legend(list(by_class))}
{_recoveries(by_class)}
<h2>What was judged</h2>
{_checkers(report)}
<h2>What happened at all</h2>
{_table(("event", "count"), [(_words(name), n) for name, n in report["coverage"].items()])}
</body></html>
"""


def write(report: Mapping[str, Any], path: Path) -> None:
    """Writes the page to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(report), encoding="utf-8")


def _by_class(report: Mapping[str, Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for fault in report["log"]:
        if fault["recovery_ms"] is not None:
            kind = f"{fault['action']} {fault['victim'].partition('-')[0]}"
            found.setdefault(kind, []).append(fault["recovery_ms"])
    return dict(sorted(found.items()))


def _recoveries(by_class: Mapping[str, list[float]]) -> str:
    rows = []
    for name, samples in by_class.items():
        ordered = sorted(samples)
        middle = ordered[(len(ordered) - 1) // 2]
        rows.append((name, len(ordered), f"{middle:.0f} ms", f"{ordered[-1]:.0f} ms"))
    return _table(("fault", "times", "median", "longest"), rows)


def _checkers(report: Mapping[str, Any]) -> str:
    rows = [(name, SENTENCES[name], count) for name, count in report["violations"].items()]
    rows.append(("", "every order has a known end within 30 s", report["unresolved"]))
    return _table(("", "claim", "violations"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    def cell(tag: str, value: Any, place: int, width: int) -> str:
        kind = ' class="number"' if place == width - 1 and width > 1 else ""
        return f"<{tag}{kind}>{escape(str(value))}</{tag}>"

    lines = [("th", head), *(("td", row) for row in rows)]
    body = "".join(
        f"<tr>{''.join(cell(tag, value, n, len(row)) for n, value in enumerate(row))}</tr>"
        for tag, row in lines
    )
    return f"<table>{body}</table>"


def _words(name: str) -> str:
    return name.replace("_", " ")
