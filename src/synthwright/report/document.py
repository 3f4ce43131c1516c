"""A text of headings, paragraphs, lists and tables, that a page and a Markdown file show alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from synthwright.report.counts import spelled

_LONG = 600
"""Characters of one piece of text that are shown."""


class Ours(str):
    """Text that was written here, not read from data: what stands between backticks is code."""

    __slots__ = ()


class Rows(NamedTuple):
    """A table; its first column says what each row is about."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...] = ()
    """Columns of numbers."""


class Items(NamedTuple):
    """A list."""

    items: tuple[str, ...]
    ordered: bool = False


class Facts(NamedTuple):
    """Names and what they say, in pairs."""

    pairs: tuple[tuple[str, str], ...]


Block = str | Rows | Items | Facts


class Section(NamedTuple):
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2
    link: str = ""
    """Where the report explains it: the anchor of a meaning."""


class Document(NamedTuple):
    """A whole text."""

    title: str
    sections: tuple[Section, ...]


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Yield a text in pieces, and of each whether it is code; text that is not ours has none."""
    if not isinstance(text, Ours):
        if text:
            yield False, spelled(text, _LONG)
        return
    for i, piece in enumerate(text.split("`")):
        if piece:
            yield bool(i % 2), piece


def markdown(document: Document) -> str:
    """Return a document as Markdown; whatever it holds is text, never markup."""
    out = [f"# {plain(document.title)}"]
    for section in document.sections:
        if section.title:
            out.append(f"{'#' * section.level} {plain(section.title)}")
        out += [_block(b) for b in section.blocks]
    return "\n\n".join(out) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, str):
        return _inline(block)
    if isinstance(block, Items):
        return "\n".join(f"{'1.' if block.ordered else '-'} {_inline(i)}" for i in block.items)
    if isinstance(block, Facts):
        return "\n".join(f"- **{plain(name)}**: {_inline(said)}" for name, said in block.pairs)
    marks = ["---:" if i in block.numbers else "---" for i in range(len(block.head))]
    lines = [_line([plain(h) for h in block.head]), f"|{'|'.join(marks)}|"]
    return "\n".join([*lines, *(_line([_inline(c) for c in row]) for row in block.rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inline(text: str) -> str:
    return "".join(f"`{word}`" if code else plain(word) for code, word in pieces(text))


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: no emphasis, no markup, no link, no list."""
    escaped = re.sub(r"([\\`*_\[\]<>#|~&$@])", r"\\\1", spelled(text, _LONG) if text else "")
    escaped = re.sub(r"(?i)(www)(?=\.)|(?=://)", r"\1\\", escaped)
    return re.sub(r"^(\d+)(?=[.)]\s)|^(?=[-+=])", r"\1\\", escaped)
