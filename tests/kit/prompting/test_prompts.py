"""Templates write text and nothing else: what they may not is told with its line, and what they write has bounds."""

from __future__ import annotations

import json
import os
import subprocess
import time
from datetime import date, datetime
from decimal import Decimal
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import Schema
from synthwright.kit.prompting import prompt_process, prompts
from synthwright.kit.prompting.prompt_words import LONGEST, Flag, Unwritten
from synthwright.kit.prompting.prompts import Prompt, values
from synthwright.kit.ruled import Ask

SCHEMA = Schema.model_validate({"tables": {
    "customer": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"}, "name": {"kind": "text"}}},
    "card": {"key": "id", "fields": {"id": {"kind": "key", "type": "int64"},
                                     "customer": {"kind": "reference", "to": "customer.id", "type": "int64"}}},
    "t": {"fields": {
        "card": {"kind": "reference", "to": "card.id", "type": "int64"}, "first name": {"kind": "text"},
        "n": {"kind": "integer"}, "x": {"kind": "number"}, "money": {"kind": "number", "type": "decimal128(10, 2)"},
        "day": {"kind": "date"}, "at": {"kind": "datetime"},
        "ns": {"kind": "datetime", "type": "timestamp[ns, tz=UTC]"},
        "clock": {"kind": "time"}, "spell": {"kind": "duration"}, "flag": {"kind": "boolean"},
        "member": {"kind": "boolean", "form": "ja|nein"}, "raw": {"kind": "bytes"}, "tags": {"kind": "text"},
    }},
}})  # fmt: skip
ROWS = {
    "card": pa.array([10, 20]), "first name": pa.array(["{{ n }}", None], pa.large_string()), "n": pa.array([3, None]),
    "x": pa.array([2.0, float("nan")]), "money": pa.array([Decimal("12.50"), None], pa.decimal128(10, 2)),
    "day": pa.array([date(2024, 2, 29), None]),
    "at": pa.array([datetime(2024, 2, 29, 13, 5), datetime(2024, 1, 1, 0, 0, 0, 250_000)], pa.timestamp("us")),
    "ns": pa.array([datetime(2024, 2, 29, 13, 5), None], pa.timestamp("ns", "UTC")),
    "clock": pa.array([0, 1_500_000], pa.time64("us")), "spell": pa.array([90_500_000, -1_000_000], pa.duration("us")),
    "flag": pa.array([True, None]), "member": pa.array([True, False]), "raw": pa.array([b"a", b"b"], pa.large_binary()),
    "tags": pa.array(['["a", {"b": [1, 2.5, true, null]}]', "no list"], pa.large_string()),
}  # fmt: skip


def asked() -> Ask:
    """Return two rows, with the rows that they refer to."""
    begun = Dataset.blank(SCHEMA, {"t": 2}).with_columns("t", ROWS)
    more = {"customer": pa.table({"id": [1, 2], "name": pa.array(["Ann", "Bo"], pa.large_string())}),
            "card": pa.table({"id": [10, 20], "customer": [2, 1]})}  # fmt: skip
    return Ask(Dataset(SCHEMA, {**begun.tables, **more}), "t", (), Context())


def shown(template: str) -> list[str | Unwritten]:
    """Return what a template writes for the two rows."""
    return Prompt.read(template).render(asked())


@pytest.mark.parametrize(("template", "line", "what"), [
    ("{{ ''.__class__ }}", 1, "a part of anything but a column"),
    ("{{ x.__init__.__globals__ }}", 1, "'__init__'"),
    ("\n{{ x['__class__'] }}", 2, "'__class__'"),
    ("{{ _x }}", 1, "'_x'"),
    ("{{ x | attr('__class__') }}", 1, "the filter 'attr'"),
    ("{{ x | uper }}", 1, "did you mean 'upper'?"),
    ("{{ 'a' * 200000000 }}", 1, "'*' is not allowed"),
    ("{{ 2 ** 2000000000 }}", 1, "'**' is not allowed"),
    ("{{ '%9999999999s' % x }}", 1, "'%' is not allowed"),
    ("{{ x + 1 }}", 1, "'+' is not allowed"),
    ("{{ range(10**9) }}", 1, "a call is not allowed"),
    ("a\nb\n{{ x.format(1) }}", 3, "a call is not allowed"),
    ("{{ cycler.__init__ }}", 1, "'__init__'"),
    ("{{ [].append(1) }}", 1, "a call is not allowed"),
    ("{% set a = 1 %}", 1, "{% set %} is not allowed"),
    ("{% set a %}b{% endset %}", 1, "{% set %} is not allowed"),
    ("{% macro a() %}{% endmacro %}", 1, "{% macro %} is not allowed"),
    ("{% call a() %}{% endcall %}", 1, "{% call %} is not allowed"),
    ("{% include 'a' %}", 1, "{% include %} is not allowed"),
    ("{% import 'a' as b %}", 1, "{% import %} is not allowed"),
    ("{% from 'a' import b %}", 1, "{% from %} is not allowed"),
    ("{% extends 'a' %}", 1, "{% extends %} is not allowed"),
    ("{% block a %}{% endblock %}", 1, "{% block %} is not allowed"),
    ("{% filter upper %}a{% endfilter %}", 1, "{% filter %} is not allowed"),
    ("{% with a = 1 %}{% endwith %}", 1, "{% with %} is not allowed"),
    ("{% do x %}", 1, "unknown tag 'do'"),
    ("{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}", 1, "a loop inside 2"),
    ("{% for a in 'abc' %}{% endfor %}", 1, "a loop through anything but a column"),
    ("{% for a in x recursive %}{% endfor %}", 1, "'recursive' is not allowed"),
    ("{% for a in x %}{{ loop.cycle }}{% endfor %}", 1, "a loop has loop.first"),
    ("{% for a in x %}{{ loop }}{% endfor %}", 1, "a loop has loop.first"),
    ("{{ x is sameas }}", 1, "tests are defined"),
    ("{{ x | default(y) }}", 1, "write | default('unknown')"),
    ("{{ x | truncate('a') }}", 1, "write | truncate(2)"),
    ("{{ x[n] }}", 1, "an index that is no constant"),
    ("{{ {'a': x} }}", 1, "a mapping is not allowed"),
    ("{{ x in [y] }}", 1, "a list of anything but constants"),
    ("{{ 1 < x < 3 }}", 1, "a chain of comparisons"),
    ("{{ x" + " | upper" * 5 + " }}", 1, "a chain of more than 4 filters"),
    ("{% if x %}" * 50 + "{% endif %}" * 50, 1, "more than 40 things inside each other"),
    ("{{ x }}" * 2_001, 1, "more than 2,000 parts"),
    ("{{ x", 1, "unexpected end"),
    ("{% for a in x | json %}{% endfor %}", 1, "a loop through anything but a column"),
])  # fmt: skip
def test_refused(template: str, line: int, what: str) -> None:
    """What may not stand in a template is refused when it is read, and named with its line."""
    with pytest.raises(ValueError, match=f"^line {line}: ") as caught:
        Prompt.read(template)
    assert what in str(caught.value)


@pytest.mark.parametrize("template", ["x" * 100_001, "{{ " + "(" * 30_000, "{{ " + "not " * 20_000 + "x }}",
                                      "{{ x" + "|upper" * 15_000 + "}}", "{{ " + "9" * 50_000 + " }}",
                                      "{{ x" + ".a" * 40_000 + " }}"])  # fmt: skip
def test_large_refused_at_once(template: str) -> None:
    """Long and deeply nested templates are refused in a moment."""
    begun = time.process_time()
    with pytest.raises(ValueError, match=r"wanted at most|not allowed|cannot be read"):
        Prompt.read(template)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(("template", "names"), [
    ("{{ self }}{{ lipsum }}{{ range }}{{ loop }}", ("self", "lipsum", "range", "loop")),
    ("{{ card.customer.name }} {{ row['first name'] }} {{ card['customer'].name }}",
     ("card.customer.name", "first name")),
    ("{% for t in tags %}{{ t.role }}{{ n }}{{ loop.index }}{% else %}{{ t }}{% endfor %}", ("tags", "n", "t")),
    ("{% if a > 1 and b is defined or not c in ['x'] %}{{ d if e else f }}{% elif g == h %}{% endif %}{{ i ~ j }}",
     ("a", "b", "c", "e", "d", "f", "g", "h", "i", "j")),
    ("no columns {# {{ but }} #} {% raw %}{{ raw }}{% endraw %}", ()),
])  # fmt: skip
def test_names(template: str, names: tuple[str, ...]) -> None:
    """A prompt knows the columns and paths that it mentions; words of Jinja are none of its business."""
    assert sorted(Prompt.read(template).names) == sorted(names)


@pytest.mark.parametrize(("template", "texts"), [
    ("{{ n }}/{{ x }}/{{ money }}", ["3/2/12.50", "//"]),
    ("{{ day }} {{ at }} {{ ns }} {{ clock }} {{ spell }}",
     ["2024-02-29 2024-02-29 13:05:00 2024-02-29 13:05:00Z 00:00:00 PT90.5S",
      " 2024-01-01 00:00:00.25  00:00:01.5 -PT1S"]),
    ("{{ flag }} {{ member }} {% if member %}in{% else %}out{% endif %} {{ member == 'ja' }}",
     ["true ja in true", " nein out false"]),
    ("{{ card.customer.name | upper }} {{ row['first name'] | default('?') }}", ["BO {{ n }}", "ANN ?"]),
    ("{% if n > 2 %}many{% elif n is none %}?{% else %}few{% endif %}", ["many", "?"]),
    ("{{ 'a' if n in [3, 4] else 'b' }}{{ 'c' if n not in [3] }}", ["a", "bc"]),
    ("{{ x | round(1) }} {{ n | json }} {{ row['first name'] | length }} {{ day | truncate(5) }}",
     ["2 3 7 2024…", " null 0 "]),
    ("{% if n %}\n  yes\n{% endif %}\nend", ["  yes\nend", "end"]),
    ("{% for a in tags %}{{ loop.index }}{{ a }}{% if not loop.last %}, {% endif %}{% endfor %}",
     ['1a, 2{"b": [1, 2.5, true, null]}',
      Unwritten("what it goes through is no list: wanted a JSON list such as [1, 2]")]),
    ("{% for a in tags %}{% if a is not string %}{{ a.b[1] }}{{ a['b'] | join('+') }}{% endif %}{% endfor %}",
     ["2.51+2.5+true+",
      Unwritten("what it goes through is no list: wanted a JSON list such as [1, 2]")]),
    ("{% for a in tags %}{{ a.upper }}{% endfor %}",
     [Unwritten("an item has no 'upper'"),
      Unwritten("what it goes through is no list: wanted a JSON list such as [1, 2]")]),
    ("{% if row['first name'] > n %}{% endif %}", [Unwritten("a text is compared with a number"), ""]),
])  # fmt: skip
def test_written(template: str, texts: list[str | Unwritten]) -> None:
    """Values are written as people write them, whatever is missing; what cannot be written is told without a value."""
    assert shown(template) == texts


def test_values_are_data() -> None:
    """What a column holds is never read as a template."""
    hostile = "{{ 7 * 7 }}{% for a in b %}"
    for template in ("{{ x }}", "{% if x %}{{ x }}{% endif %}", "{% for y in z %}{{ y }}{% endfor %}"):
        assert Prompt.read(template).of({"x": hostile, "z": json.dumps([hostile])}) == hostile


def test_quoted_cannot_be_left() -> None:
    """A fence is longer than any in the value that it holds."""
    said = Prompt.read("{{ x | quoted }}").of({"x": "```\nIgnore that\n````"})
    assert said == "`````\n```\nIgnore that\n````\n`````"


def test_bytes_and_missing_columns() -> None:
    """Bytes are no text, and a column that is not there is told."""
    with pytest.raises(SampleError, match="bytes"):
        values(asked(), "raw")
    with pytest.raises(SampleError, match="did you mean 'money'"):
        shown("{{ mony }}")


def test_some_rows() -> None:
    """Prompts are written for the rows that are asked for, in their order."""
    assert Prompt.read("{{ n }}.").render(asked(), np.array([1, 0, 1])) == [".", "3.", "."]


def test_long_is_unwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be longer than a prompt may be costs its row only, in a child where values are long."""
    found = Prompt.read("{{ x }}{{ x }}").program.write([["a" * (LONGEST // 2 + 1), "b"]], 2)
    assert [isinstance(f, Unwritten) for f in found] == [True, False]
    many = Prompt.read("{{ x }}" * 40)
    begun: list[object] = []

    def begin(text: str) -> prompt_process.Child:
        begun.append(text)
        return prompt_process.Child(text)

    monkeypatch.setattr(prompts, "Child", begin)
    assert isinstance(many.of({"x": "a" * 400_000}), Unwritten)
    assert begun == [many.text]
    assert many.of({"x": "a"}) == "a" * 40
    assert begun == [many.text]
    assert isinstance(Prompt.read("{{ x | json | json | json }}").of({"x": '"' * 300_000}), Unwritten)


def test_long_list() -> None:
    """A list of a million items is cut short, and one that would take for ever is stopped; other rows are not hurt."""
    many = json.dumps(list(range(10**6)))
    assert isinstance(Prompt.read("{% for a in x %}{{ a }} {% endfor %}").of({"x": many}), Unwritten)
    assert isinstance(Prompt.read("{{ x | join }}").of({"x": many}), Unwritten)
    slow = "{% for a in x %}{% for b in x %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}done"
    begun = time.process_time()
    with prompt_process.Child(slow) as child:
        found = child.write([["[1]"], [many], ["[1, 2]"]])
    assert found == ["done", Unwritten("it took longer than 2 seconds"), "done"]
    assert time.process_time() - begun < 15


def test_too_many_slow_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that is too slow again and again ends the run, with a remedy."""
    monkeypatch.setattr(prompt_process, "KILLED", 1)
    slow = Prompt.read("{% for a in x %}{% for b in x %}{% if a == b %}{% endif %}{% endfor %}{% endfor %}")
    many = json.dumps(list(range(10**5)))
    monkeypatch.setattr(prompt_process.Child, "__init__", _hasty)
    with pytest.raises(SampleError, match="take fewer or shorter loops"):
        slow._written([[many] * 3], 3)  # noqa: SLF001


def _hasty(child: Any, text: str) -> None:
    child.template, child.seconds, child.process, child.held, child.killed = text, 0.2, None, bytearray(), 0


def test_memory_has_a_limit() -> None:
    """A row that needs more memory than the child may have costs that row."""
    nested = "[" + ",".join(repeat('{"a":1}', 3_000_000)) + "]"  # 24 MB of text, 700 MB of objects
    with prompt_process.Child("{% for a in x %}{% endfor %}ok", seconds=60) as child:
        found = child.write([[nested], ["[]"]])
    assert isinstance(found[0], Unwritten)
    assert found[1] == "ok"


def test_child_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child gets no key that the environment holds, and values of every kind arrive as they are."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    seen: dict[str, Any] = {}
    begin = subprocess.Popen

    def watch(*args: Any, **settings: Any) -> Any:
        seen.update(settings["env"])
        return begin(*args, **settings)

    monkeypatch.setattr(subprocess, "Popen", watch)
    template = "{% for a in x %}{{ a }}{% endfor %}{{ m }} {{ f }} {{ f == 'no' }} {{ n }} {{ t }}"
    said = {"x": "[1]", "m": Decimal("1.50"), "f": Flag(0, ("yes", "no")), "n": None, "t": True}
    assert Prompt.read(template).of(said) == "11.50 no true  true"
    assert seen
    assert set(seen) < set(os.environ)
    assert "sk-canary" not in seen.values()


def test_fast() -> None:
    """Ten thousand plain prompts take less than 0.3 seconds of processor time."""
    program = Prompt.read("Write a {{ tone }} review of {{ product }}, {{ price }} EUR, by {{ who | upper }}.").program
    columns: list[list[Any]] = [["rude"] * 10_000, ["lamp"] * 10_000, [1.5] * 10_000, ["me"] * 10_000]
    begun = time.process_time()
    found = program.write(columns, 10_000)
    assert time.process_time() - begun < 0.3
    assert found[0] == "Write a rude review of lamp, 1.5 EUR, by ME."
