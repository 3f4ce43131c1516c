"""Documents cut into passages: by headings, paragraphs or sentences, none longer than so many words.

Words are counted as runs of letters and digits; in scripts that set no blanks every character is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

By = Literal["document", "heading", "paragraph", "sentence"]
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_END = re.compile(r"""(?<=[.!?…])["'”’»)\]]*\s+(?=["'“‘«(\[¿¡]*[^\Wa-zß-öø-ÿ])|(?<=[。！？])\s*""")
"""Where a sentence may end: a mark, blanks, and no small letter behind them."""
_SHORT = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-z]|\w\.\w|\d{1,2}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|Nr|Fig|Eq|Art|Sec|Ch|Vol|pp|vs|cf|ca|al|"
    r"approx|dept|est|Inc|Ltd|Co|bzw|Abs|Bd|Str|usw|vgl|Hr|Fr|Sra|Mme)\.$"
)
"""What a full stop shortens, or counts, rather than ends."""


class Block(NamedTuple):
    """A paragraph, a list item or a table row, under its headings."""

    headings: tuple[str, ...]
    """The headings above it, the highest first."""
    text: str


@dataclass
class Document:
    """What was read of a file."""

    blocks: list[Block] = field(default_factory=list)
    title: str | None = None


class Passage(NamedTuple):
    """A piece of a document."""

    heading: str
    """The headings above its beginning, joined by ` > `; empty where there are none."""
    text: str


def counted(text: str) -> int:
    """Return how many words a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a paragraph; abbreviations, initials and ordinals end none where they are told."""
    found, begin = [], 0
    for match in _END.finditer(text):
        piece = text[begin : match.end()].strip()
        if piece and not _SHORT.search(piece[-12:]):
            found.append(piece)
            begin = match.end()
    rest = text[begin:].strip()
    return [*found, rest] if rest else found


def passages(document: Document, by: By, words: int, overlap: int) -> list[Passage]:
    """Return the passages of a document, in order.

    Args:
        document: what was read.
        by: what a passage is: the document, what stands under one heading, a paragraph, or so many sentences.
        words: the most words of a passage; of whole documents there is no most.
        overlap: the most words that a passage repeats of the one before, in whole sentences, where one text is cut.
    """
    if by == "document":
        whole = "\n\n".join(_with_headings(document.blocks))
        return [Passage("", whole)] if whole else []
    found = []
    for headings, texts in _sections(document.blocks):
        paragraphs = [list(_no_longer(sentences(t), words)) for t in texts]
        if by == "heading":
            groups = [paragraphs]
        elif by == "paragraph":
            groups = [[p] for p in paragraphs]
        else:
            groups = [[[s for p in paragraphs for s in p]]]
        found += [Passage(" > ".join(headings), text) for group in groups for text in _packed(group, words, overlap)]
    return found


def _with_headings(blocks: Sequence[Block]) -> Iterator[str]:
    """Yield the texts of a document with each heading before what stands under it."""
    before: tuple[str, ...] = ()
    for block in blocks:
        same = next((i for i, pair in enumerate(zip(before, block.headings, strict=False)) if pair[0] != pair[1]),
                    min(len(before), len(block.headings)))  # fmt: skip
        yield from block.headings[same:]
        before = block.headings
        if block.text:
            yield block.text


def _sections(blocks: Iterable[Block]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield headings with the paragraphs that stand under them; a heading with nothing below is no section."""
    headings: tuple[str, ...] = ()
    texts: list[str] = []
    for block in blocks:
        if block.headings != headings and texts:
            yield headings, texts
            texts = []
        headings = block.headings
        if block.text:
            texts.append(block.text)
    if texts:
        yield headings, texts


def _no_longer(parts: Iterable[str], words: int) -> Iterator[str]:
    """Yield sentences, those with too many words in pieces."""
    for part in parts:
        begins = [m.start() for m in _WORD.finditer(part)]
        if len(begins) <= words:
            yield part
            continue
        cuts = [0, *begins[words::words], len(part)]
        yield from (part[low:high].strip() for low, high in pairwise(cuts))


def _packed(paragraphs: Sequence[Sequence[str]], words: int, overlap: int) -> Iterator[str]:
    """Yield passages: paragraphs together as long as they fit, broken between sentences where one does not."""
    held: list[tuple[int, str, int]] = []  # paragraph, sentence, words
    size, fresh = 0, False
    for i, paragraph in enumerate(paragraphs):
        sizes = [counted(s) for s in paragraph]
        whole = sum(sizes) <= words
        for j, (sentence, many) in enumerate(zip(paragraph, sizes, strict=True)):
            wanted = sum(sizes) if j == 0 and whole else many  # a paragraph that fits into one passage is not cut
            if fresh and size + wanted > words:
                yield _joined(held)
                held, fresh = _tail(held, overlap), False
                size = sum(h[2] for h in held)
            if not fresh and size + wanted > words:
                held, size = [], 0
            held.append((i, sentence, many))
            size, fresh = size + many, True
    if fresh:
        yield _joined(held)


def _tail(held: Sequence[tuple[int, str, int]], overlap: int) -> list[tuple[int, str, int]]:
    """Return the last sentences that have no more words together than may be repeated."""
    left, begin = overlap, len(held)
    while begin and held[begin - 1][2] <= left:
        begin -= 1
        left -= held[begin][2]
    return list(held[begin:])


def _joined(held: Sequence[tuple[int, str, int]]) -> str:
    """Return sentences as a text, with a blank line between paragraphs."""
    text, before = "", None
    for paragraph, sentence, _ in held:
        text += ("" if before is None else " " if before == paragraph else "\n\n") + sentence
        before = paragraph
    return text
