"""The language of rules: what must hold in every row of a table.

Three forms::

    start <= end                                a condition on one row; also and, or, not, in, is null, + - * /
    total == net + tax                          abs(), sqrt(), exp(), log() (the natural one), log10(), length(),
                                                year(), quarter(), month(), week(), day(), weekday(),
                                                hour(), minute() of a date or an instant,
    boxes == ceil(pieces / 12)                  floor() and ceil(): the whole number below, and above
    nights == date(left) - date(came)           date() and time() of an instant; week_start(), month_start() and
    best == max(first, second, third)           quarter_start() of a date; max() and min() of those that are there
    ends == starts + months(12) - 1             so many months and days later: the same day, or the month's last
    `capital gain` >= 0                         backticks around names that are no plain words
    ordered_on >= "2020-01-31"                  dates and times are written as text
    education -> education_num                  rows with the same education have the same education_num
    (city, street) -> postcode
    weekday(visited) -> open                    months, weekdays and hours of one date may determine too
    unique(order, line)                         no two rows share both values

A condition breaks only where it is false: a comparison with a missing value holds, as in an SQL check. Numbers added to
or taken from dates and instants are days, and so is the difference between two of them, or between two times of day.
Nothing is ever evaluated as code: the parser knows these words and no others.
"""

from __future__ import annotations

from difflib import get_close_matches

from synthwright.core.rule_nodes import Parsed
from synthwright.core.rule_parser import Parser
from synthwright.core.rule_tokens import KEYWORDS, PLAIN
from synthwright.core.rule_types import faults
from synthwright.core.schema import Table

__all__ = ["Parsed", "faults", "parse", "quoted", "unknown_columns"]


def parse(text: str) -> Parsed:
    """Return what a rule says.

    Raises:
        ValueError: it is no rule; the message shows what is wrong and what would be right.
    """
    return Parser(text).rule()


def unknown_columns(parsed: Parsed, table: Table) -> list[tuple[str, str | None]]:
    """Return every column the rule names that the table lacks, with the nearest name the table has."""
    out: list[tuple[str, str | None]] = []
    for name in parsed.columns:
        if name not in table.fields:
            near = get_close_matches(name, list(table.fields), n=1)
            out.append((name, near[0] if near else None))
    return out


def quoted(name: str) -> str:
    """Return a column's name as rules write it: bare where it is a plain word, else between backticks."""
    if PLAIN.fullmatch(name) and name.lower() not in KEYWORDS:
        return name
    return "`" + name.replace("`", "``") + "`"
