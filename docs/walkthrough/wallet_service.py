"""A small service over bdkpython, as it comes from PyPI, with two leaks.

`docs/walkthrough.md` finds them. The service ends with its stdin.
"""

from __future__ import annotations

import itertools
import select
import sys
import time

import bdkpython as bdk


class FeeBoard:
    """Remembers the newest fees. It means to keep a hundred."""

    def __init__(self) -> None:
        """Empty."""
        self.seen: list[bdk.Amount] = []

    def note(self, sats: int) -> None:
        """Remember one more."""
        self.seen.append(bdk.Amount.from_sat(sats))
        if len(self.seen) > 100:
            self.seen.sort(key=lambda amount: amount.to_sat())  # meant to drop the oldest


class WalletStore(bdk.Persistence):
    """Keeps a wallet's changes in memory. Rust calls it back."""

    def __init__(self) -> None:
        """Hand itself to Rust."""
        self.changes: list[bdk.ChangeSet] = []
        self.persister = bdk.Persister.custom(self)  # held by Rust; holds this store

    def initialize(self) -> bdk.ChangeSet:
        """Nothing was kept before."""
        return bdk.ChangeSet()

    def persist(self, changeset: bdk.ChangeSet) -> None:
        """Keep a change."""
        self.changes.append(changeset)


def serve_customer(board: FeeBoard, number: int) -> None:
    """One customer's visit: every object in here should be released afterwards."""
    board.note(number)
    if number % 10 == 0:
        WalletStore()


def main() -> None:
    """Serve until stdin ends."""
    board = FeeBoard()
    print("ready", flush=True)
    for number in itertools.count(1):
        serve_customer(board, number)
        if select.select([sys.stdin], [], [], 0)[0]:
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main()
