"""What a document says: paragraphs under headings, from plain text, Markdown, HTML and PDF."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from synthwright.core.errors import InputError
from synthwright.kit.files import Unpacked, seekable, split_name
from synthwright.kit.texts.chunks import Block, Document
from synthwright.sources.encodings import (
    Encoding,
    Utf8,
    WrongEncodingError,
    encoding_of,
    guessed_encoding,
    wrong_encoding,
)

MOST = 32 * 2**20
"""Bytes of one document; a book has about one million."""
MOST_HTML = 8 * 2**20
_LONGEST_TAG = 2**16
"""Characters within which a tag ends; what does not is text: the parser would look for its end again and again."""
_PAGES = 20_000
_DEEPEST = 6
_SILENT = frozenset(
    {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "select", "textarea"}
)
"""Elements whose contents nobody reads as text."""
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd",
    "label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
"""Elements that end no paragraph."""
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")

Texts = Iterable[tuple[int, str]]
"""Headings by their level, and texts (level 0), in order."""


def document_of(path: Path, encoding: str | None) -> Document:
    """Return what a file says.

    Raises:
        InputError: it cannot be read, is too large, or is no such document.
    """
    ending = split_name(path)[1]
    if ending == ".pdf":
        return Document([Block((), text) for text in _pdf(path)])
    most = MOST_HTML if ending in (".html", ".htm") else MOST
    text = text_of(path, encoding, most)
    if ending in (".html", ".htm"):
        return _html(text)
    if ending in (".md", ".markdown"):
        return _document(_markdown(text), title=None)
    return _document(((0, part) for part in _paragraphs(text)), title=None)


def text_of(path: Path, stated: str | None, most: int = MOST) -> str:
    """Return the text of a file, whatever its encoding, with line ends of one kind."""
    encoding = encoding_of(path, stated)
    if not encoding.sure and split_name(path)[1] in (".html", ".htm"):
        encoding = _said(path) or encoding
    try:
        return _read(path, encoding, most)
    except WrongEncodingError as fault:
        if encoding.sure:
            raise wrong_encoding(path, encoding.name, "bytes that are none", None) from None
        guess = guessed_encoding(path, fault.at)
    try:
        return _read(path, guess, most)
    except WrongEncodingError:
        raise wrong_encoding(path, f"UTF-8 or {guess.name}", "bytes of neither", None) from None


def _read(path: Path, encoding: Encoding, most: int) -> str:
    with Utf8(path, encoding) as stream:
        held = stream.read(most + 1)
    if len(held) > most:
        raise too_large(path, most)
    try:
        text = held.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongEncodingError(error.start) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def too_large(path: Path, most: int) -> InputError:
    """Return the error for a document that is larger than any."""
    return InputError(path.name, "the document", wanted=f"at most {most / 2**20:.0f} MiB", got="more",
                      remedy="cut it into several files")  # fmt: skip


def _said(path: Path) -> Encoding | None:
    """Return the encoding that an HTML file names in its head; None where it names none that is known."""
    with Unpacked(path) as stream:
        found = _CHARSET.search(stream.read(2048))
    name = found[1].decode("ascii", "replace") if found else ""
    if name.lower() in ("", "utf-8", "utf8"):
        return None
    name = {"iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252"}.get(name.lower(), name)  # as browsers do
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return None
    return Encoding(name)


# -------------------------------------------------------------------------------------------------- text and Markdown
def _document(said: Texts, title: str | None) -> Document:
    """Return a document: every text under the headings above it."""
    above: list[tuple[int, str]] = []
    blocks = []
    for level, text in said:
        if level:
            above = [h for h in above if h[0] < level] + [(level, text)]
            blocks.append(Block(tuple(h for _, h in above), ""))  # a heading may have nothing below
            title = title if title is not None or level > 1 else text
        elif text:
            blocks.append(Block(tuple(h for _, h in above), text))
    return Document(blocks, title)


def _paragraphs(text: str) -> Iterator[str]:
    """Yield paragraphs: lines between blank ones, as one line each."""
    for part in re.split(r"\n[ \t\f\v]*\n", text):
        said = " ".join(part.split())
        if said:
            yield said


def _markdown(text: str) -> Texts:
    """Yield headings and paragraphs of Markdown; fenced code stays as it is, every list item is a paragraph."""
    lines = _without_comments(text).split("\n")
    if lines and lines[0].rstrip() == "---" and "---" in (line.rstrip() for line in lines[1:200]):  # front matter
        lines = lines[[line.rstrip() for line in lines].index("---", 1) + 1 :]
    held: list[str] = []
    fence = ""
    for line in lines:
        if fence:
            held.append(line)
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                yield 0, "\n".join(held).strip("\n")
                held, fence = [], ""
            continue
        if (opened := _FENCE.match(line)) is not None:
            yield from _said_so(held)
            held, fence = [line], opened[1]
        elif (heading := _ATX.match(line)) is not None:
            yield from _said_so(held)
            held = []
            yield len(heading[1]), _bare(re.sub(r"(?:^|[ \t])#+$", "", line[heading.end() :].strip()))
        elif held and re.fullmatch(r" {0,3}(=+|-+)[ \t]*", line) and not _ITEM.match(held[0]):
            yield (1 if "=" in line else 2), _bare(" ".join(" ".join(held).split()))
            held = []
        elif not line.strip() or _RULE.match(line):
            yield from _said_so(held)
            held = []
        elif _ITEM.match(line):
            yield from _said_so(held)
            held = [line]
        else:
            held.append(line)
    yield from [(0, "\n".join(held).strip("\n"))] if fence else _said_so(held)


def _without_comments(text: str) -> str:
    """Return text without HTML's comments; one that does not end is text."""
    kept, begin = [], 0
    while (opened := text.find("<!--", begin)) >= 0 and (closed := text.find("-->", opened)) >= 0:
        kept.append(text[begin:opened])
        begin = closed + 3
    return "".join([*kept, text[begin:]])


def _said_so(held: list[str]) -> Texts:
    """Yield lines as one paragraph, if they say anything."""
    said = " ".join(" ".join(held).split())
    return [(0, said)] if said else []


def _bare(heading: str) -> str:
    """Return a heading without marks of emphasis and links."""
    return re.sub(r"[*`]+", "", re.sub(r"!?\[([^\]\[]*)\]\([^()]*\)", r"\1", heading)).strip()


# --------------------------------------------------------------------------------------------------------------- HTML
class _Reader(HTMLParser):
    """Notes headings and paragraphs; what scripts and styles say is left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[tuple[int, str]] = []
        self.title: str | None = None
        self.silent = ""
        self.inside = 0
        self.level = 0
        self.held: list[str] = []
        self.in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        self.in_title = tag == "title"
        if self.silent:
            self.inside += tag == self.silent
        elif tag in _SILENT:
            self.silent, self.inside = tag, 1
        elif tag == "title":
            pass
        elif tag == "br":
            self.held.append(" ")
        elif tag in ("td", "th"):
            self.held.append(" | " if "".join(self.held).strip() else " ")
        elif tag not in _INLINE:
            self.end()
            if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
                self.level = int(tag[1])

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self.silent:
            self.inside -= tag == self.silent
            self.silent = self.silent if self.inside else ""
        elif tag == "title":
            self.in_title = False
        elif tag not in _INLINE and tag not in ("td", "th", "br"):
            self.end()

    def handle_data(self, data: str) -> None:
        """Take text in."""
        if self.in_title and not self.silent:
            self.title = ((self.title or "") + data)[:1000]
        elif not self.silent:
            self.held.append(data)

    def end(self) -> None:
        """End a paragraph or a heading."""
        said = " ".join("".join(self.held).split())
        if said:
            self.said.append((self.level, said))
        self.held, self.level = [], 0


def _closed(text: str) -> str:
    """Return HTML in which every tag that is begun also ends."""
    pieces, begin = [], 0
    while (opened := text.find("<", begin)) >= 0:
        closed = text.find(">", opened, opened + _LONGEST_TAG)
        again = text.rfind("<", opened, closed) if closed >= 0 else opened  # the tag that this one ends
        stop = closed + 1 if closed >= 0 else opened + 1
        pieces += [text[begin:again].replace("<", "&lt;"), "&lt;" if closed < 0 else text[again:stop]]
        begin = stop
    return "".join([*pieces, text[begin:]])


def _html(text: str) -> Document:
    reader = _Reader()
    text = re.sub(r"<[!?][^<>]{0,10000}>", "", _without_comments(text))
    reader.feed(_closed(re.sub(r"<(?=[!?])", "&lt;", text)))
    reader.close()
    reader.end()
    return _document(reader.said, " ".join((reader.title or "").split()) or None)


# ---------------------------------------------------------------------------------------------------------------- PDF
def _pdf(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a PDF, page by page."""
    try:
        import pypdf
    except ImportError:
        raise InputError(path.name, "the PDF", wanted="pypdf, which reads it", got="none installed",
                         remedy="pip install 'synthwright[documents]'") from None  # fmt: skip
    with seekable(path) as file:
        if file.seek(0, 2) > MOST:
            raise too_large(path, MOST)
        file.seek(0)
        try:
            reader = pypdf.PdfReader(file)
            locked, many = reader.is_encrypted, 0 if reader.is_encrypted else len(reader.pages)
            pages = [_page(page) for page in reader.pages] if 0 < many <= _PAGES else []
        except Exception as error:  # noqa: BLE001  damaged files raise whatever they meet first
            raise InputError(path.name, "the PDF", wanted="one that can be read",
                             got=f"data that is damaged ({type(error).__name__})") from None  # fmt: skip
    if locked:
        raise InputError(path.name, "the PDF", wanted="one that can be read", got="one with a password",
                         remedy="save it without")  # fmt: skip
    if many > _PAGES:
        raise too_large(path, MOST)
    for page in pages:
        yield from _paragraphs(page)


def _page(page: Any) -> str:
    """Return what a page says, words that a line end cut put together again."""
    said = str(page.extract_text() or "").encode("utf-8", "replace").decode("utf-8").replace("\0", "")
    return re.sub(r"(?<=[a-zß-ÿ])[-\u00ad]\n(?=[a-zß-ÿ])", "", said)
