"""Makes and drops objects of one Rust extension package, and compares them with the adapter's rows.

``pyo3_packages.py PACKAGE FOLDER...``. Prints, for objects older than the adapter, for later births
and after ends, how many objects the program holds, how many of them have no row, and the classes
whose number of rows is another than the number of objects.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from inspector.agent.adapters.pyo3 import Pyo3Adapter
from inspector.vocabulary import Level
from inspector.wire import lib

Made = tuple[Any, Iterable[Any]]
"""What has to be kept for the objects, and the objects."""


def polars(module: Any, number: int) -> Made:
    frame = module.DataFrame({"a": range(10)})
    series, expression = frame["a"], module.col("a") + number
    lazy = frame.lazy().filter(expression > 3)
    held = (frame, series, expression, lazy)
    return held, [frame._df, series._s, expression._pyexpr, lazy._ldf]


def tokenizers(module: Any, number: int) -> Made:
    tokenizer = module.Tokenizer(module.models.BPE())
    return (), [tokenizer, module.AddedToken(f"x{number}"), tokenizer.model]


def pydantic_core(module: Any, number: int) -> Made:
    schema = module.core_schema.int_schema()
    kinds = (module.SchemaValidator, module.SchemaSerializer)
    return (), [*(kind(schema) for kind in kinds), module.Url(f"http://example.org/{number}")]


def rustworkx(module: Any, number: int) -> Made:
    graph = module.PyGraph()
    graph.add_nodes_from([1, 2])
    derived = DERIVED.setdefault("graph", type("Derived", (module.PyDiGraph,), {}))
    return (), [graph, module.PyDiGraph(), graph.node_indices(), derived()]


def pycrdt(module: Any, number: int) -> Made:
    document = module.Doc()
    text = document.get("text", type=module.Text)
    watching = text.observe(print)
    return (document, text), [document._doc, text._integrated, watching]


def cryptography(module: Any, number: int) -> Made:
    base = "cryptography.hazmat.primitives"
    key = importlib.import_module(f"{base}.asymmetric.ed25519").Ed25519PrivateKey.generate()
    hashes = importlib.import_module(f"{base}.hashes")
    return (), [key, key.public_key(), hashes.Hash(hashes.SHA256())]


def rpds(module: Any, number: int) -> Made:
    mapping = module.HashTrieMap({"a": number}).insert("b", 1)
    return (), [mapping, module.List([1]).push_front(2), module.HashTrieSet([number])]


def blake3(module: Any, number: int) -> Made:
    hasher = module.blake3(b"some")
    return (), [hasher, hasher.copy()]


def y_py(module: Any, number: int) -> Made:
    document = module.YDoc()
    return (), [document, document.get_text("a")]


MAKERS: dict[str, Callable[[Any, int], Made]] = {
    each.__name__: each
    for each in (
        polars,
        tokenizers,
        pydantic_core,
        rustworkx,
        pycrdt,
        cryptography,
        rpds,
        blake3,
        y_py,
    )
}
DERIVED: dict[str, Any] = {}


def compare(adapter: Pyo3Adapter, objects: list[list[Any]]) -> dict[str, Any]:
    every = [thing for some in objects for thing in some]
    without = sum(not adapter.boundary.proxy_row(thing) for thing in every)
    rows = adapter.rows()
    counted = Counter(type(thing).__name__ for thing in every)
    named = {
        kind: sum(count for name, count in rows.items() if name.rpartition(".")[2] == kind)
        for kind in counted
    }
    differing = {
        kind: (counted[kind], rows) for kind, rows in named.items() if rows != counted[kind]
    }
    return {"held": len(every), "without": without, "differing": differing}


def main() -> None:
    name, *folders = sys.argv[1:]
    sys.path[:0] = folders
    module, objects, kept = importlib.import_module(name), [], []

    def make(count: int) -> None:
        for number in range(count):
            held, made = MAKERS[name](module, number)
            if number % 3:
                kept.append(held)
                objects.append(list(made))
        gc.collect()

    make(150)
    lib.ai_set_level(Level.HISTORY)
    adapter = Pyo3Adapter()
    adapter.attach()
    list(adapter.scan())
    print(json.dumps(compare(adapter, objects)))
    make(300)
    print(json.dumps(compare(adapter, objects)))
    half = len(objects) // 2
    del objects[:half], kept[:half]
    gc.collect()
    print(json.dumps(compare(adapter, objects)))
    adapter.detach()


if __name__ == "__main__":
    main()
