"""Documents as Markdown: all of it is text."""

from __future__ import annotations

import pytest

from synthwright.report.document import Document, Facts, Items, Ours, Rows, Section, markdown, pieces, plain


def test_everything_has_its_form() -> None:
    """Headings, paragraphs, lists, facts and tables are written as Markdown has them."""
    blocks = (
        "words",
        Items(("a", "b")),
        Items(("first",), ordered=True),
        Facts((("name", "said"),)),
        Rows(("what", "n"), (("x", "1"), ("", "2")), (1,)),
    )
    text = markdown(Document("Title", (Section("Part", blocks), Section("", ("more",)), Section("Small", (), 3))))
    assert text == (
        "# Title\n\n## Part\n\nwords\n\n- a\n- b\n\n1. first\n\n- **name**: said\n\n"
        "| what | n |\n|---|---:|\n| x | 1 |\n|  | 2 |\n\nmore\n\n### Small\n"
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b*c", r"a\_b\*c"),
        ("<script>alert(1)</script>", r"\<script\>alert(1)\</script\>"),
        ("[x](javascript:1)", r"\[x\](javascript:1)"),
        ("a|b\n\n# no heading", r"a\|b  \# no heading"),
        (
            "http://evil.example www.evil.example a@evil.example",
            r"http\://evil.example www\.evil.example a\@evil.example",
        ),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("0.5", "0.5"),
        ("(0.5) is fine", "(0.5) is fine"),
        ("`code`", r"\`code\`"),
        ("", ""),
    ],
)
def test_text_is_no_markup(text: str, written: str) -> None:
    """Names and labels that look like markup are shown, not obeyed."""
    assert plain(text) == written


def test_only_our_text_has_code() -> None:
    """Backticks make code where we wrote them, not where data has them."""
    assert list(pieces(Ours("use `forest`, it is (`good`)"))) == [
        (False, "use "), (True, "forest"), (False, ", it is ("), (True, "good"), (False, ")")
    ]  # fmt: skip
    assert list(pieces("a `b` c")) == [(False, "a `b` c")]
    said = markdown(Document("t", (Section("", (Ours("(`marginals`) loses it"), "`x`")),)))
    assert "(`marginals`) loses it" in said
    assert r"\`x\`" in said
