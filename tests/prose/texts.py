"""Finds the English text of a source tree.

Docstrings, comments, messages and documents, each with its file and line.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.targets import ROOT


@dataclass(frozen=True, slots=True)
class Text:
    """One paragraph of English.

    Attributes:
        place: file relative to the root of the tree.
        line: line of the paragraph's start, from 1.
        words: the paragraph with single blanks.
    """

    place: str
    line: int
    words: str


SOURCES = ("*.py", "*.rs", "*.c", "*.h", "*.toml", "dev")
FOLDERS = ("inspector", "native", "tests", "docs", "_arc_inspector.py", "setup.py", "dev")
GENERATED = (
    "native/target",
    "native/include",
    "inspector/_native",
    "native/peers/uniffi_todo/target",
    "node_modules",
    "/build/",
)
BLOCK_MARKS = re.compile(r"^/?\*+ ?|\*/$")
ITEM = re.compile(r"```|[-*] |#{1,3} |\||>|\d+\. ")
DIRECTIVE = re.compile(r"^(noqa|type:|pragma|!/|ruff|fmt:|shellcheck|SPDX|-\*-|mypy:|nosec)")


def files(root: Path = ROOT) -> list[Path]:
    """Source files of the tree in a fixed order, without generated files."""
    found: list[Path] = []
    for folder in FOLDERS:
        top = root / folder
        found += (
            [top] if top.is_file() else [path for pattern in SOURCES for path in top.rglob(pattern)]
        )
    return sorted(
        {
            path
            for path in found
            if not any(part in str(path.relative_to(root)) for part in GENERATED)
        }
    )


def paragraphs(place: str, first: int, lines: list[str]) -> Iterator[Text]:
    """Joins neighbouring lines into paragraphs.

    A list item, a heading and a table row are paragraphs of their own.
    """
    start, joined, fenced = first, [], False
    for number, line in enumerate([*lines, ""], first):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        bare = line.strip()
        breaks = (
            not bare
            or fenced
            or bare.startswith(("```", "- ", "* ", "# ", "## ", "### ", "|", ">"))
            or bool(re.match(r"\d+\. ", bare))
        )
        if joined and breaks:
            yield Text(place, start, " ".join(joined))
            joined = []
        if bare and not fenced and not bare.startswith("```"):
            start = start if joined else number
            joined.append(bare.lstrip("-*#> ").strip())


def docstrings(path: Path, tree: ast.Module) -> Iterator[Text]:
    """Docstrings of one Python file, also of attributes: a text below its assignment."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for part in body if isinstance(body, list) else ():
            literal = part.value if isinstance(part, ast.Expr) else None
            if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                lines = literal.value.split("\n")
                yield from paragraphs(str(path.relative_to(ROOT)), part.lineno, lines)


def python_comments(path: Path, source: str) -> Iterator[Text]:
    """Comments of one Python file; whole-line comments that follow each other are one paragraph."""
    run: list[str] = []
    start = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or DIRECTIVE.match(token.string.lstrip("# ")):
            continue
        continues = token.line.lstrip().startswith("#") and token.start[0] == last + 1
        if not continues:
            yield from paragraphs(str(path.relative_to(ROOT)), start, run)
            run, start = [], token.start[0]
        run.append(token.string.lstrip("#").strip())
        last = token.start[0] if token.line.lstrip().startswith("#") else 0
    yield from paragraphs(str(path.relative_to(ROOT)), start, run)


def c_like_comments(path: Path, source: str, *, documenting: bool) -> Iterator[Text]:
    """Comments of a Rust or C file: documenting (`///`, `//!`, `/** */`) or plain."""
    place, run, start, block = str(path.relative_to(ROOT)), [], 1, ""
    for number, line in enumerate([*source.split("\n"), ""], 1):
        bare, comment = line.strip(), None
        if bare.startswith("/*"):
            block = "/**" if bare.startswith("/**") else "/*"
        if block:
            comment = (
                bare.removeprefix("/**").removeprefix("/*").removesuffix("*/").lstrip("* ")
                if (block == "/**") == documenting
                else None
            )
            block = "" if "*/" in bare else block
        elif bare.startswith("//") and bare.startswith(("///", "//!")) == documenting:
            comment = bare.lstrip("/!").removeprefix(" ")
        elif not documenting and (words := trailing(r"\S\s+//+\s(.*)$", line)):
            yield from paragraphs(place, number, [words])
        if comment is None:
            yield from paragraphs(place, start, run)
            run = []
        else:
            start = start if run else number
            run.append(comment)


def trailing(pattern: str, line: str) -> str:
    """The comment that `pattern` finds at the end of `line`; empty inside a string literal."""
    match = re.search(pattern, line)
    return match.group(1) if match and line[: match.start()].count('"') % 2 == 0 else ""


def hash_comments(path: Path, source: str) -> Iterator[Text]:
    """Comments of a TOML file or a shell script."""
    for number, line in enumerate(source.split("\n"), 1):
        words = trailing(r"(?:^|\s)#+ (.*)$", line)
        if words and not DIRECTIVE.match(words):
            yield from paragraphs(str(path.relative_to(ROOT)), number, [words])


def literal_text(node: ast.AST) -> object:
    """The value of a constant.

    The whole text of an f-string, with code in the place of each value; else ``None``.
    """
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "`x`" for part in node.values
        )
    return node.value if isinstance(node, ast.Constant) else None


def messages(path: Path, tree: ast.Module) -> Iterator[Text]:
    """String literals of four words or more that are no docstrings: messages and window texts."""
    whole = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        literal = None if id(node) in whole else literal_text(node)
        if isinstance(node, ast.JoinedStr):
            whole |= {id(part) for part in node.values}
        if isinstance(literal, str) and len(re.findall(r"[A-Za-z]{2,} ", literal)) >= 4:
            yield from paragraphs(str(path.relative_to(ROOT)), node.lineno, literal.split("\n"))


def documents(root: Path = ROOT) -> Iterator[Text]:
    """Paragraphs of the Markdown documents, without code.

    Generated tables and licences are left out.
    """
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        yield from paragraphs(str(path.relative_to(root)), 1, path.read_text().split("\n"))


def all_texts() -> dict[str, list[Text]]:
    """Every text of the tree by kind: docstrings, comments, messages, documents."""
    kinds: dict[str, list[Text]] = {
        "docstrings": [],
        "comments": [],
        "messages": [],
        "documents": list(documents()),
    }
    for path in files():
        source = path.read_text()
        if path.suffix == ".py":
            tree = ast.parse(source)
            kinds["docstrings"] += docstrings(path, tree)
            kinds["comments"] += python_comments(path, source)
            if path.is_relative_to(ROOT / "inspector"):
                kinds["messages"] += messages(path, tree)
        elif path.suffix in (".rs", ".c", ".h"):
            kinds["docstrings"] += c_like_comments(path, source, documenting=True)
            kinds["comments"] += c_like_comments(path, source, documenting=False)
        else:
            kinds["comments"] += hash_comments(path, source)
    return kinds
