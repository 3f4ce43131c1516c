"""The source `documents`."""

from __future__ import annotations

import gzip
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.errors import InputError, PathError
from synthwright.core.schema import Kind
from synthwright.kit.texts.chunks import Block, Document, counted, passages, sentences
from synthwright.sources import document_texts
from synthwright.sources.documents import Documents

MARKDOWN = """---
title: not shown
---
# Returns

Whoever buys has *30 days*. Dr. Lee decides,
e.g. on shoes.

## Deadlines ##
<!-- not for readers -->
- The first one.
- The second one
  goes on.

```sh
# no heading
```

Costs
-----
Nothing.
"""
HTML = """<!doctype html><html><head><title>The  rooms</title><style>p { color: red }</style></head><body>
<script>if (1 < 2) document.write("<p>never shown</p>")</script>
<h1>Rooms</h1><p>One &amp; two<br>three <b>bold</b></p>
<h2>Prices</h2><ul><li>first</li><li>second</li></ul><table><tr><td>a</td><td>b</td></tr></table>
<div>in a box<p>inside</div>at the end<!-- gone --></body></html>"""


def rows(root: Path, **settings: Any) -> list[dict[str, Any]]:
    """Return the passages of the documents in a project folder."""
    found = Documents.model_validate({"path": "docs", **settings}).tables(Context(root=root))
    assert set(found) == {"passage"}
    held: list[dict[str, Any]] = found["passage"].to_pylist()
    return held


def texts(root: Path, **settings: Any) -> list[str]:
    """Return the texts of the passages."""
    return [r["text"] for r in rows(root, **settings)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project folder with an empty folder of documents."""
    (tmp_path / "docs").mkdir()
    return tmp_path


def put(root: Path, name: str, said: str | bytes) -> None:
    """Write a document."""
    path = root / "docs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(said.encode() if isinstance(said, str) else said)


# ------------------------------------------------------------------------------------------------------------- formats
def test_markdown(root: Path) -> None:
    """Headings become paths, list items and code paragraphs; comments and what stands above the text are left out."""
    put(root, "returns.md", MARKDOWN)
    found = rows(root)
    assert [(r["id"], r["heading"], r["position"]) for r in found] == [
        ("returns.md#1", "Returns", 1), ("returns.md#2", "Returns > Deadlines", 2),
        ("returns.md#3", "Returns > Costs", 3),
    ]  # fmt: skip
    assert {r["title"] for r in found} == {"Returns"}
    assert found[0]["text"] == "Whoever buys has *30 days*. Dr. Lee decides, e.g. on shoes."
    assert found[1]["text"] == "- The first one.\n\n- The second one goes on.\n\n```sh\n# no heading\n```"
    assert found[2]["text"] == "Nothing."


def test_html(root: Path) -> None:
    """What a browser shows is read, and nothing of scripts and styles."""
    put(root, "in/rooms.html", HTML)
    found = rows(root)
    assert [(r["document"], r["title"], r["heading"]) for r in found] == [
        ("in/rooms.html", "The rooms", "Rooms"), ("in/rooms.html", "The rooms", "Rooms > Prices")
    ]  # fmt: skip
    assert [r["text"] for r in found] == [
        "One & two three bold",
        "first\n\nsecond\n\na | b\n\nin a box\n\ninside\n\nat the end",
    ]


@pytest.mark.parametrize("hostile", [
    "<" * 60_000, "<a <" * 20_000, "<!--" * 20_000, "<!-- >" * 15_000, "<a x='" * 15_000, "<![CDATA[>" * 10_000,
    "<svg>" * 15_000 + "</style>" * 10_000, "<script>" * 10_000, "<title>" * 10_000, "</p " * 60_000,
])  # fmt: skip
def test_hostile_html_takes_no_longer_than_it_is_long(root: Path, hostile: str) -> None:
    """Tags that never end are read in time that grows with the file, not with its square."""
    put(root, "a.html", "<p>good</p>" + hostile)
    begun = time.process_time()
    document_texts.document_of(root / "docs" / "a.html", None)
    assert time.process_time() - begun < 10  # a tenth of a second; the square of it would be minutes


def test_plain_text_and_encodings(root: Path) -> None:
    """Blank lines part paragraphs; the encoding is told by a mark, the head of HTML, or recognised."""
    said = "Größe zählt für alle Fälle,\nund Öl.\n\n\n Neuer   Absatz."
    wanted = "Größe zählt für alle Fälle, und Öl.\n\nNeuer Absatz."
    put(root, "a.txt", said)
    put(root, "b.txt", said.encode("utf-16"))
    put(root, "c.txt", said.encode("cp1252"))
    put(root, "d.txt.gz", gzip.compress(said.replace("\n", "\r\n").encode()))
    assert texts(root) == [wanted] * 4
    assert [r["title"] for r in rows(root)] == ["a", "b", "c", "d"]
    put(root, "e.html", '<meta charset="koi8-r"><p>Привет, мир'.encode("koi8-r"))
    assert texts(root)[-1] == "Привет, мир"
    with pytest.raises(InputError, match="cp1252"):
        texts(root, path="docs/a.txt", encoding="cp1252")


def test_pdf_needs_its_extra(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library that reads PDF the error says what to install."""
    put(root, "a.pdf", b"%PDF-1.4")
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(InputError, match=r"synthwright\[documents\]"):
        texts(root)


def test_pdf(root: Path) -> None:
    """Text of pages is read; what is no PDF, or has a password, is refused."""
    pypdf = pytest.importorskip("pypdf")
    put(root, "a.pdf", one_page("Whoever buys has 30 days"))
    assert texts(root) == ["Whoever buys has 30 days"]
    writer = pypdf.PdfWriter(root / "docs" / "a.pdf")
    writer.encrypt("secret")
    writer.write(root / "docs" / "a.pdf")
    with pytest.raises(InputError, match="password"):
        texts(root)
    put(root, "a.pdf", b"%PDF-1.4 damaged")
    with pytest.raises(InputError, match="damaged"):
        texts(root)


def one_page(said: str) -> bytes:
    """Return a PDF with one line."""
    stream = f"BT /F1 12 Tf 20 100 Td ({said}) Tj ET".encode()
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
               b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
               b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
               b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for i, held in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (i, held)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % p for p in places)
    return out + table + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)


# ------------------------------------------------------------------------------------------------------------ passages
def test_by_what_is_cut(root: Path) -> None:
    """A passage is a document, what stands under a heading, a paragraph, or so many sentences."""
    put(root, "a.md", "# A\n\nOne here. Two here.\n\nThree here.\n\n## B\n\nFour here.")
    assert texts(root, by="document") == ["A\n\nOne here. Two here.\n\nThree here.\n\nB\n\nFour here."]
    assert texts(root) == ["One here. Two here.\n\nThree here.", "Four here."]
    assert texts(root, by="paragraph") == ["One here. Two here.", "Three here.", "Four here."]
    assert texts(root, by="sentence", words=5) == ["One here. Two here.", "Three here.", "Four here."]


def test_no_passage_is_too_long_and_none_is_lost() -> None:
    """Whatever the limits, passages keep them, hold every word in order, and repeat no more than they may."""
    words = [f"w{i}" for i in range(700)]
    parts = [" ".join(words[i : i + 7 + i % 40]) + "." for i in range(0, 700, 23)]
    document = Document([Block(("H",), part) for part in parts])
    for by in ("heading", "paragraph", "sentence"):
        for size, overlap in ((5, 0), (20, 0), (20, 9), (60, 30)):
            found = passages(document, by, size, overlap)
            assert max(counted(p.text) for p in found) <= size
            held = [w.strip(".") for p in found for w in p.text.split()]
            wanted = [w.strip(".") for part in parts for w in part.split()]
            assert set(held) == set(wanted)
            assert overlap or held == wanted
            assert len(held) <= len(wanted) + overlap * len(found)


def test_overlap_repeats_whole_sentences() -> None:
    """A passage begins with the last sentences of the one before; where nothing is cut nothing is repeated."""
    one, two, three = "Aa bb cc dd.", "Ee ff gg.", "Hh ii jj kk."
    document = Document([Block((), f"{one} {two} {three}")])
    assert [p.text for p in passages(document, "sentence", 7, 3)] == [f"{one} {two}", f"{two} {three}"]
    assert [p.text for p in passages(document, "sentence", 7, 2)] == [f"{one} {two}", three]
    assert [p.text for p in passages(document, "heading", 50, 10)] == [f"{one} {two} {three}"]


def test_sentences() -> None:
    """Abbreviations, initials and numbers end no sentence; marks within quotes do."""
    said = "Dr. B. Lee came at 5.30 p.m. on Monday. “Really?” He had 3.5 kg, e.g. Apples! Then it ended… Yes."
    assert sentences(said) == ["Dr. B. Lee came at 5.30 p.m. on Monday.", "“Really?”", "He had 3.5 kg, e.g. Apples!",
                               "Then it ended…", "Yes."]  # fmt: skip
    assert sentences("今日は良い。明日も。") == ["今日は良い。", "明日も。"]
    assert counted("今日は良い。明日も。") == 8


def test_settings_that_cannot_be() -> None:
    """An overlap as long as a passage would never end; encodings are known ones."""
    for wrong in ({"words": 20, "overlap": 20}, {"encoding": "klingon"}, {"by": "page"}):
        with pytest.raises(ValidationError):
            Documents.model_validate({"path": "docs", **wrong})


# --------------------------------------------------------------------------------------------------------------- paths
def test_folders_and_patterns(root: Path) -> None:
    """A folder is read with its folders, a pattern as it says; hidden files and other endings are passed over."""
    for name in ("b.txt", "in/a.md", "in/.c.md", ".hidden/d.md", "e.csv"):
        put(root, name, f"Text of {name}.")
    assert [r["id"] for r in rows(root)] == ["b.txt#1", "in/a.md#1"]
    assert [r["id"] for r in rows(root, path="docs/**/*.md")] == ["in/a.md#1"]
    assert [r["id"] for r in rows(root, path="docs/in/*.md")] == ["a.md#1"]
    assert [r["id"] for r in rows(root, path="docs/b.txt")] == ["b.txt#1"]
    assert [p.name for p in Documents(path="docs").files(Context(root=root))] == ["b.txt", "a.md"]


def test_paths_stay_inside(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither a path nor a link leads out of the project folder."""
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("secret")
    with pytest.raises(PathError):
        texts(root, path="../")
    with pytest.raises(PathError):
        texts(root, path=str(outside))
    (root / "docs" / "link.txt").symlink_to(outside)
    with pytest.raises(PathError):
        texts(root)


@pytest.mark.parametrize(("name", "said", "why"), [
    ("a.csv", "x", "documents that end in"),
    ("a.txt", "", "text"),
    ("a.html", "<script>var x</script>", "text"),
    ("a.txt", b"a\0b", "NUL"),
])  # fmt: skip
def test_what_holds_nothing(root: Path, name: str, said: str | bytes, why: str) -> None:
    """Nothing to read is said, with what was wanted."""
    put(root, name, said)
    with pytest.raises(InputError, match=why):
        texts(root)


def test_too_large(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document larger than any is refused before it is taken in."""
    put(root, "a.txt", "word " * 1000)
    monkeypatch.setattr(document_texts, "MOST", 2000)
    monkeypatch.setattr(document_texts.text_of, "__defaults__", (2000,))
    with pytest.raises(InputError, match="cut it"):
        texts(root)


def test_it_comes_in_through_the_door(root: Path) -> None:
    """The schema that is guessed has a key and texts; words that mean null elsewhere are words here."""
    put(
        root,
        "a.md",
        "\n\n".join(f"# H{i}\n\nThe text number {i} is about something." for i in range(12)) + "\n\n# N\n\nNA",
    )
    data = Documents(path="docs").read(Context(root=root))
    assert data.schema.field("passage.text").kind is Kind.TEXT
    assert data.schema.tables["passage"].key == "id"
    assert data.column("passage.text").to_pylist()[-1] == "NA"
    assert Documents(path="docs").remarks(Context(root=root)) == []
    put(root, "b.md", "")
    assert Documents(path="docs").remarks(Context(root=root)) == ["b.md holds no text"]
