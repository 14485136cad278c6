"""`./dev lint` runs `python -m tests.prose`.

Fails when a kind of text is harder to read than its limit allows.

With `--list [WORD …]` it prints the sentences to mend, of files whose path holds a WORD.
"""

import argparse
import sys
import tomllib
from pathlib import Path

from tests.prose.counting import Count, Fault, count, faults
from tests.prose.texts import all_texts

LIMITS = Path(__file__).with_name("limits.toml")


def too_many(kind: str, sums: Count, limits: dict[str, float]) -> list[str]:
    """Complaints about one kind of text, one line each; empty when it keeps its limits."""
    shares = {"heads_percent": sums.heads_percent, "pronouns_percent": sums.pronouns_percent}
    return [
        f"prose: {kind}: {name} is {share:.2f}, the limit is {limits[name]}"
        for name, share in shares.items()
        if share > limits[name]
    ]


def listed(found: list[Fault], chosen: list[str]) -> None:
    """Prints the faulty sentences of the chosen files: `file:line: sentence`."""
    for fault in found:
        if (fault.opens_badly or fault.pronouns) and (
            not chosen or any(word in fault.text.place for word in chosen)
        ):
            print(
                f"{fault.text.place}:{fault.text.line}: "
                f"{'HEAD ' if fault.opens_badly else ''}{fault.sentence}"
            )


def main() -> int:
    """Counts every kind of text; status 1 when a kind is above its limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.prose", description=__doc__)
    parser.add_argument(
        "--list",
        nargs="*",
        metavar="WORD",
        help=("print the sentences to mend, of files whose path holds a WORD"),
    )
    chosen = parser.parse_args().list
    limits = tomllib.loads(LIMITS.read_text())
    complaints: list[str] = []
    for kind, texts in all_texts().items():
        found = faults(texts)
        if chosen is not None:
            listed(found, chosen)
            continue
        sums = count(found)
        print(f"{kind}: {sums.sentences} sentences, {sums.heads_percent:.1f} % open without a noun")
        print(f"{kind}: {sums.words} words, {sums.pronouns_percent:.2f} pronouns in 100 of them")
        complaints += too_many(kind, sums, limits[kind])
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
