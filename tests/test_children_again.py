"""Parents that are made again get children anew: curators may drop either, and every count is met."""

from __future__ import annotations

import csv
from pathlib import Path

import synthwright as sw

SPEC = """
synthwright: 1
name: again
schema:
  tables:
    town: {key: id, fields: {id: {kind: key, type: int64, nulls: false}, size: {kind: integer}}}
    house:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        town: {kind: reference, to: town.id, type: int64, nulls: false}
        rooms: {kind: integer}
        floor: {kind: integer}
        big: {kind: integer}
    room:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        house: {kind: reference, to: house.id, type: int64, nulls: false}
        floor: {kind: integer}
        size: {kind: integer}
start:
  rows: {town: 30}
  children:
    house: {of: house.town, use: each, with: {count: size}}
    room: {of: room.house, use: each, with: {count: rooms}}
  set: {house.floor: 2}
parts:
  - {make: [town.id, house.id, room.id], use: counter}
  - {make: [town.size, house.rooms, room.size], use: distribution, with: {uniform: {low: 0, high: 3}}}
  - {make: [house.big], use: formula, with: {formula: "town.size * 10 + rooms"}}
  - {make: [room.floor], use: formula, with: {formula: "house.floor"}}
curate:
  - {use: rules, with: {rules: {town: ["size != 1"], house: ["rooms != 2"], room: ["size != 3"]}}}
evaluate: {metrics: [integrity]}
release: {use: csv}
"""


def test_every_parent_has_its_children(tmp_path: Path) -> None:
    """Towns, houses and rooms are dropped by rules; in the end each has as many below it as it says, none too many."""
    (tmp_path / "x.yaml").write_text(SPEC, encoding="utf-8")
    report = sw.run(tmp_path / "x.yaml", tmp_path / "out")
    assert report.passed, (report.summary, report.dropped)
    read = {t: list(csv.DictReader((tmp_path / "out/data" / t / "part-00000.csv").read_text().splitlines()))
            for t in report.rows}  # fmt: skip
    towns, houses, rooms = read["town"], read["house"], read["room"]
    assert len(towns) == 30
    assert {t["size"] for t in towns} == {"0", "2", "3"}
    assert {h["rooms"] for h in houses} == {"0", "1", "3"}
    assert {r["size"] for r in rooms} == {"0", "1", "2"}
    for parents, children, link, count in ((towns, houses, "town", "size"), (houses, rooms, "house", "rooms")):
        whose = [c[link] for c in children]
        assert all(whose.count(p["id"]) == int(p[count]) for p in parents)
        assert len(whose) == sum(int(p[count]) for p in parents)
        assert len({c["id"] for c in children}) == len(children)
    size = {t["id"]: int(t["size"]) for t in towns}
    assert all(int(h["big"]) == 10 * size[h["town"]] + int(h["rooms"]) for h in houses)
    floor = {h["id"]: h["floor"] for h in houses}
    assert {float(f) for f in floor.values()} == {2}
    assert all(r["floor"] == floor[r["house"]] for r in rooms)
    again = sw.run(tmp_path / "x.yaml", tmp_path / "again", workers=2)
    assert again.passed
    for table in read:
        name = Path("data") / table / "part-00000.csv"
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
