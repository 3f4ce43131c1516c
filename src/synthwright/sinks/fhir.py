"""FHIR R4B: rows as resources, one JSON object a line, by a mapping of paths to columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import BeforeValidator, field_validator
from pydantic import Field as Setting

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.kit.fhir.fhir_bundles import Mapped, bundles
from synthwright.kit.fhir.fhir_mapping import TYPE, Element, Resource
from synthwright.kit.fhir.fhir_text import Columns, bytes_of, joined, lines
from synthwright.kit.files import created, folder_names
from synthwright.sinks.jsonl import Jsonl
from synthwright.sinks.spelling import doubles, flat, is_binary, spelled

_BATCH = 65_536
_BLOCKS = 10
"""Blocks of bundles that make a part."""
_TEST_DATA = {
    "meta.security.0.system": Element(value="http://terminology.hl7.org/CodeSystem/v3-ActReason"),
    "meta.security.0.code": Element(value="HTEST"),
    "meta.security.0.display": Element(value="test health data"),
}
"""What HL7 has for data that is about nobody."""


def _several(said: object) -> object:
    return tuple(said) if isinstance(said, list | tuple) else (said,)


Resources = Annotated[tuple[Resource, ...], BeforeValidator(_several, json_schema_input_type=Resource | list[Resource])]


class Fhir(Jsonl):
    """Write FHIR R4B: the rows of mapped tables as resources, one JSON object a line; other tables as JSON Lines.

    ::

        release:
          use: fhir
          with:
            resources:
              Patient:
                table: patient
                fields:
                  id: id
                  name.0.family: last_name
                  name.0.given.0: first_name
                  gender: {column: sex, values: {F: female, M: male}}
                  birthDate: birth_date
              Condition:
                table: condition
                fields:
                  id: id
                  subject.reference: {column: patient, reference: Patient}
                  code.coding.0.system: {value: "http://snomed.info/sct"}
                  code.coding.0.code: code

    The files are `<table>/part-00000.<Type>.ndjson`, as FHIR servers take them in bulk. FHIR knows no nulls: an element
    whose column has no value is left out, and so is an object of which no column has a value, with its constants.
    Instants without a zone are written as UTC; text that is blank counts as none. Whether resources keep to FHIR's
    rules is up to the mapping: check them with a FHIR library.
    """

    name: ClassVar[str] = "fhir"
    suffixes: ClassVar[tuple[str, ...]] = (".fhir.ndjson",)

    resources: dict[str, Resources] = Setting(default={}, examples=[{"Patient": {"table": "a", "fields": {"id": "b"}}}])
    """How rows become resources, by resource type: `{table: …, fields: {path: column}}`, or a list of such."""
    bundle: str | None = Setting(default=None, examples=["Patient"])
    """A resource type such as `Patient`: for each of its resources a transaction Bundle is written too, with all that
    points to it, one a line in `<Type>-bundles/`; what points to none is in Bundles of its own before them."""
    mark: bool = True
    """Whether every resource says that it is test data (`meta.security`: HTEST)."""

    @field_validator("resources")
    @classmethod
    def _types(cls, said: dict[str, tuple[Resource, ...]]) -> dict[str, tuple[Resource, ...]]:
        for kind, several in said.items():
            if not TYPE.fullmatch(kind):
                raise ValueError(f"wanted a resource type such as Patient, got {kind!r}")
            if not several:
                raise ValueError(f"{kind}: wanted a mapping, got none")
        return said

    def notes(self) -> tuple[str, ...]:
        marked = ", each marked as test data (HTEST)" if self.mark else ""
        return (f"FHIR R4B resources as newline-delimited JSON{marked}",) if self.resources else ()

    def faults(self, schema: Schema) -> list[str]:
        found = [f for kind, one in self._mapped() for f in one.faults(kind, schema)]
        if self.bundle is not None:
            if len(self.resources.get(self.bundle, ())) != 1:
                found.append(f"bundle: wanted a type that has one mapping, got {self.bundle!r}")
            found += [f"{kind}: in a bundle a resource has an 'id', from a column" for kind, one in self._mapped()
                      if "id" not in one.fields or one.fields["id"].column is None]  # fmt: skip
        return found

    def _mapped(self) -> Iterator[tuple[str, Resource]]:
        for kind, several in self.resources.items():
            yield from ((kind, one) for one in several)

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        faults = self.faults(data.schema)
        if faults:
            raise InputError("fhir", "the mapping", wanted="what fits the tables", got="; ".join(faults))
        tables = data.to_arrow_tables()
        places = folder_names(tables)
        written: list[Path] = []
        for name, table in tables.items():
            kinds = [kind for kind, one in self._mapped() if one.table == name]
            size = self.rows or max(table.num_rows, 1)
            for number in range(max(1, -(-table.num_rows // size))):
                part, stem = table.slice(number * size, size), folder / places[name] / f"part-{number:05d}"
                for kind in dict.fromkeys(kinds):
                    written.append(stem.with_name(f"{stem.name}.{kind}.ndjson"))
                    self._write_resources(kind, name, part, written[-1])
                if not kinds:
                    written.append(stem.with_name(f"{stem.name}.jsonl"))
                    self.write_file(part, written[-1], metadata)
        if self.bundle is not None:
            written += self._write_bundles(self.bundle, tables, folder / f"{self.bundle}-bundles", set(places.values()))
        return written

    def _write_resources(self, kind: str, name: str, table: pa.Table, path: Path) -> None:
        """Write the resources of one type that come from a table: by one mapping after the other."""
        trees = [one.tree(self._mark(one)) for one in self.resources[kind] if one.table == name]
        with created(path) as file:
            for tree in trees:
                for start in range(0, table.num_rows, _BATCH):
                    some = table.slice(start, _BATCH)
                    texts = lines(kind, tree, _plain(some), some.num_rows)
                    file.write(bytes_of(joined([texts, "\n"], len(texts))))

    def _write_bundles(self, root: str, tables: dict[str, pa.Table], folder: Path, taken: set[str]) -> list[Path]:
        if folder.name in taken:
            raise InputError("fhir", "the bundles", wanted=f"no table called {folder.name!r}", got="one",
                             remedy="rename the table")  # fmt: skip
        mapped = [Mapped(kind, one.tree(self._mark(one)), str(one.fields["id"].column), one.link(root),
                         tables[one.table].num_rows, _rows(tables[one.table]))
                  for kind, one in self._mapped()]  # fmt: skip
        top = next(one for one in mapped if one.kind == root)
        blocks = bundles(top, [one for one in mapped if one is not top])
        written: list[Path] = []
        while some := list(islice(blocks, _BLOCKS)):
            written.append(folder / f"part-{len(written):05d}.ndjson")
            with created(written[-1]) as file:
                for texts in some:
                    file.write(bytes_of(joined([texts, "\n"], len(texts))))
        return written

    def _mark(self, resource: Resource) -> dict[str, Element]:
        """Return what says that a resource is test data, unless it says something there itself."""
        own = any(path.startswith("meta.security") for path in resource.fields)
        return {} if own or not self.mark else _TEST_DATA


def _rows(table: pa.Table) -> Callable[[np.ndarray], Columns]:
    return lambda places: _plain(table.take(pa.array(places)))


def _plain(table: pa.Table) -> Columns:
    """Return a way to a table's columns: without dictionaries, lengths of time and bytes as text."""

    def column(name: str) -> pa.Array:
        held = flat(table.column(name))
        if pa.types.is_duration(held.type) or is_binary(held.type):
            held = spelled(held)
        elif pa.types.is_floating(held.type):
            held = doubles(held)
        whole = held.combine_chunks()
        return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole

    return column
