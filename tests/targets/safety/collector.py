"""Counts the collector's finds: cycles of its own, no more and no less."""

import gc
import weakref

from steps import three_moments


class Node:
    def __init__(self):
        self.self = self


def cycles():
    gc.collect()
    found = []
    gc.disable()
    for _ in range(5):
        dead = [weakref.ref(Node()) for _ in range(100)]
        found.append((gc.collect(), sum(each() is None for each in dead)))
    gc.enable()
    return found, len(gc.garbage)


three_moments(cycles)
