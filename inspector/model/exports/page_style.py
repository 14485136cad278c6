"""The style sheet of exported pages: light or dark as the reader's system is."""

from __future__ import annotations

from typing import Final

SERIES: Final = (
    ("#2b6cb0", "#7ab8ff"),
    ("#b7791f", "#f0c36d"),
    ("#2f855a", "#7fd6a4"),
    ("#97266d", "#f29ac6"),
    ("#5a67d8", "#a5b0ff"),
    ("#c05621", "#f6a86b"),
    ("#718096", "#a0aec0"),
)
"""Colours of the lines of a chart on light and on dark ground."""
_LIGHT: Final = (
    "--bg: #fff; --fg: #1c2024; --quiet: #60646c; --line: #d9d9e0; --soft: #f4f4f6; "
    "--bad: #b42318; --frame: #f3c77a; --tip: #8fc7a8;"
)
_DARK: Final = (
    "--bg: #16181c; --fg: #e8e8ec; --quiet: #a0a4ac; --line: #33363d; --soft: #202329; "
    "--bad: #ff8a80; --frame: #8a6a2c; --tip: #2f6b4b;"
)
_RULES: Final = """
body { background: var(--bg); color: var(--fg); font: 14px/1.45 system-ui, sans-serif;
  max-width: 1100px; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
h1 { font-size: 1.5em; margin: 0; }
h2 { font-size: 1.15em; margin: 2em 0 .5em; }
.quiet { color: var(--quiet); }
.bad { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 3px 8px; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; max-width: 28em; }
th { color: var(--quiet); font-weight: 600; overflow-wrap: normal; }
td:last-child { overflow-wrap: anywhere; }
th.n, td.n { text-align: right; white-space: nowrap; }
section.finding { background: var(--soft); padding: .6em 1em; margin: .6em 0;
  border-radius: 6px; }
section.finding h3 { margin: 0 0 .3em; font-size: 1em; }
ul { margin: .3em 0; padding-left: 1.4em; }
pre { white-space: pre-wrap; margin: .3em 0; font-size: 12px; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--fg); }
.axis { stroke: var(--line); }
.line { fill: none; stroke-width: 1.8; }
.frame { fill: var(--frame); }
.tip { fill: var(--tip); }
.legend { margin: .3em 0; }
.key { margin-right: 1.2em; padding-left: .5em; border-left: .8em solid; }
"""


def style_text() -> str:
    """The whole sheet."""
    light, dark = (
        " ".join(f"--c{place}: {pair[at]};" for place, pair in enumerate(SERIES)) for at in (0, 1)
    )
    series = "\n".join(
        f".c{place} {{ stroke: var(--c{place}); border-color: var(--c{place}); }}"
        for place in range(len(SERIES))
    )
    return (
        f":root {{ color-scheme: light dark; {_LIGHT} {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_DARK} {dark} }} }}"
        f"{_RULES}{series}\n"
    )
