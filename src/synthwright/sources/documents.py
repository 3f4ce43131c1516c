"""Documents: files of text, Markdown, HTML and PDF as a table of passages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Self

import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator, model_validator

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, split_name
from synthwright.kit.texts.chunks import By, Document, passages
from synthwright.sources.document_texts import document_of
from synthwright.sources.places import PathSource, pattern_files

ENDINGS = (".txt", ".text", ".md", ".markdown", ".html", ".htm", ".pdf")
_MOST_PASSAGES = 10_000_000


class Documents(PathSource):
    """Read documents (.txt, .md, .html; .pdf with the extra `documents`) as a table with a row for each passage.

    ::

        source:
          use: documents
          with: {path: handbook, by: heading, words: 200, overlap: 40}

    The columns are `id` (`returns.md#2`), `document` (the file, as it is called below the folder), `title`, `heading`
    (the headings above, `Returns > Deadlines`), `position` (from 1, in each document) and `text`. Of HTML scripts and
    styles are left out, of Markdown comments and what stands above the text between lines of `---`.
    """

    name: ClassVar[str] = "documents"

    path: str = Setting(default="")
    """What to read, relative to the project folder: a document; a folder, with all documents in it and in its folders;
    or a pattern (`handbook/**/*.md`)."""
    table: str = Setting(default="passage", min_length=1, max_length=100)
    """What the table is called."""
    by: By = "heading"
    """What a row is: `document`, a whole file, however long; `heading`, what stands under one heading, and more rows
    where that is too long; `paragraph`, each by itself; `sentence`, as many sentences under one heading as fit."""
    words: int = Setting(default=200, ge=5, le=100_000)
    """The most words of a passage. What is longer is cut between paragraphs, else between sentences, else between
    words."""
    overlap: int = Setting(default=0, ge=0, le=50_000)
    """The most words that a passage repeats of the end of the one before, in whole sentences, where a text is cut."""
    encoding: str | None = Setting(default=None, examples=["cp1252"])
    """How the text is encoded; nothing: told by its byte order mark, by the head of HTML, else UTF-8, else
    recognised."""

    @field_validator("encoding")
    @classmethod
    def _is_one(cls, encoding: str | None) -> str | None:
        try:
            "a".encode(encoding or "utf-8")
        except (LookupError, ValueError):
            raise ValueError(f"{encoding!r} is no encoding of text: utf-8, cp1252, utf-16, …") from None
        return encoding

    @model_validator(mode="after")
    def _smaller(self) -> Self:
        if self.overlap >= self.words:
            raise ValueError(f"overlap: wanted fewer than the {self.words} words of a passage, got {self.overlap}")
        return self

    def files(self, ctx: Context) -> list[Path]:
        """Return the documents, sorted.

        Raises:
            InputError: there are none.
            PathError: one lies outside the project folder.
        """
        return [path for path, _ in self._found(ctx)]

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        """Return one table, with a row for each passage."""
        columns: dict[str, list[str | int | None]] = {
            c: [] for c in ("id", "document", "title", "heading", "position", "text")
        }
        for path, name in self._found(ctx):
            read = document_of(path, self.encoding)
            found = passages(read, self.by, self.words, self.overlap)
            count = len(found)
            if len(columns["id"]) + count > _MOST_PASSAGES:
                raise InputError(path.name, "the documents", wanted=f"at most {_MOST_PASSAGES:,} passages", got="more",
                                 remedy="make passages longer, or read fewer documents")  # fmt: skip
            columns["id"] += [f"{name}#{i}" for i in range(1, count + 1)]
            columns["document"] += [name] * count
            columns["title"] += [_title(read, name)] * count
            columns["heading"] += [p.heading or None for p in found]
            columns["position"] += range(1, count + 1)
            columns["text"] += [p.text for p in found]
        if not columns["id"]:
            raise InputError(self.path, "the documents", wanted="text", got="none in any of them",
                             remedy="scanned pages must be read by a program for recognising text first")  # fmt: skip
        kinds = {c: pa.int64() if c == "position" else pa.large_string() for c in columns}
        return {self.table: pa.table({c: pa.array(held, kinds[c]) for c, held in columns.items()})}

    def remarks(self, ctx: Context) -> list[str]:
        """Say which documents hold no text."""
        silent = [name for path, name in self._found(ctx) if not document_of(path, self.encoding).blocks]
        return [f"{name} holds no text" for name in silent]

    def _found(self, ctx: Context) -> list[tuple[Path, str]]:
        """Return the documents with what each is called: its path below the folder."""
        if not self.path:
            raise InputError("source", "path", wanted="a document, a folder or a pattern", got="nothing",
                             remedy="give path:")  # fmt: skip
        try:
            return self._named(ctx)
        except (OSError, ValueError, RuntimeError) as error:  # a name that is too long, links in a circle
            raise InputError(self.path, "the path", wanted="a path that can be read",
                             got=type(error).__name__) from None  # fmt: skip

    def _named(self, ctx: Context) -> list[tuple[Path, str]]:
        where = ctx.open_path(self.path)
        if where.is_file():
            return [(where, where.name)]
        if where.is_dir():
            base = where
            every = sorted(p for p in where.rglob("*") if p.is_file())
        else:
            every = pattern_files(self.path, ctx) if re.search(r"[*?\[]", self.path) else []
            base = ctx.open_path(_before_wildcards(self.path))
        found = [p for p in every if split_name(p)[1] in ENDINGS and not _hidden(p, base)]
        if len(found) > LIMITS.files:
            raise InputError(self.path, "the documents", wanted=f"at most {LIMITS.files:,}", got=f"{len(found):,}",
                             remedy="read them by several patterns")  # fmt: skip
        if not found:
            raise InputError(self.path, "the path", wanted=f"documents that end in {', '.join(ENDINGS)}", got="none",
                             remedy="name a folder that has some")  # fmt: skip
        return [(ctx.open_path(p), p.relative_to(base).as_posix()) for p in found]  # links must not lead out


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _before_wildcards(pattern: str) -> str:
    """Return the folder that a pattern begins in."""
    parts = []
    for part in Path(pattern).parts[:-1]:
        if re.search(r"[*?\[]", part):
            break
        parts.append(part)
    return str(Path(*parts)) if parts else "."


def _title(read: Document, name: str) -> str:
    """Return what a document is called: by its own word, else its file's name."""
    return read.title or split_name(Path(name))[0]
