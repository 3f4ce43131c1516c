"""Commands that only look: check, verify, list, explain."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from synthwright.commands.saying import Say
from synthwright.core import registry
from synthwright.core.contracts import Curator, Generator, Metric, Recipe
from synthwright.core.describe import Parameter, parameters, summary
from synthwright.core.errors import StoreError, UnknownNameError
from synthwright.core.loading import load_spec
from synthwright.core.plan import Plan

EXAMPLES = "examples"
"""What `list` shows beside groups of recipes."""
_LONG = 160
"""Characters of a default that are shown."""


def check_spec(path: Path, root: Path | None, say: Say) -> None:
    """Find every fault of a specification; show the plan where there is none."""
    from synthwright.line import check
    from synthwright.trust import allowed_for

    loaded = load_spec(path, root, allowed_for(path.parent))
    plan = check(loaded)
    if loaded.spec.source is not None:
        from synthwright.core.plan import source_of

        source_of(loaded.spec, loaded.fault).files(loaded.ctx)  # type: ignore[union-attr]  # there is one
    if plan is None:
        say.result({"ok": True, "plan": None})
        say.line("No fault found. There is no schema yet: it is inferred when the specification runs.")
        return
    say.result({"ok": True, "plan": [
        {"part": p.name, "use": p.generator.name, "make": p.part.produce, "given": p.part.given, "mode": p.part.mode}
        for p in plan.parts], "warnings": list(map(str, plan.doubts))})  # fmt: skip
    _show_plan(plan, say)


def _show_plan(plan: Plan, say: Say) -> None:
    from rich.table import Table

    shown = Table(title="The plan", title_justify="left")
    for head in ("part", "generator", "makes", "given"):
        shown.add_column(head, overflow="fold")
    for i, part in enumerate(plan.parts):
        shown.add_row(str(i + 1), part.generator.name, _few(part.part.produce), _few(part.part.given))
    say.console.print(shown)
    say.line(f"curate:   {', '.join(c.name for c in plan.curators) or 'nobody'}")
    ruled = plan.spec.source is None
    alone = [m.name for m in plan.metrics if not ruled or m.group == "integrity"]
    gates = [g.text for g in plan.gates if not ruled or g.metric in alone]
    say.line(f"rows:     {'; '.join(_rows(plan)) or 'as many as there are real ones'}")
    say.line(f"evaluate: {', '.join(alone) or 'nothing'}{_others(len(plan.metrics) - len(alone), 'measure')}")
    say.line(f"gates:    {'; '.join(gates) or 'none'}{_others(len(plan.gates) - len(gates), 'gate')}")
    for doubt in plan.doubts:
        say.line(f"warning: {doubt}")
    say.line(f"No fault found{f', and {len(plan.doubts)} to look at' if plan.doubts else ''}.")


def _rows(plan: Plan) -> list[str]:
    """Return how many rows tables get, as far as it is said."""
    begin = plan.spec.begin
    said = [f"{t} {n:,}" for t, n in begin.rows.items()]
    return said + [f"{t} by `{plan.processes[t].name}` for each {plan.schema.split(str(plan.schema.field(c.of).to))[0]}"
                   for t, c in begin.children.items() if t in plan.processes]  # fmt: skip


def _others(many: int, what: str) -> str:
    return f"; {many} other {what}{'s' if many > 1 else ''} need real rows, and say nothing here" if many else ""


def _few(names: tuple[str, ...]) -> str:
    shown = 8
    more = f" … and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]).replace("[", r"\[") + more


def verify_release(folder: Path, say: Say) -> None:
    """Check a release against its manifest."""
    from synthwright.report.manifest import unchecked, verify

    if not folder.is_dir():
        raise StoreError(str(folder), "the release", wanted="a folder that `run` wrote", got="no such folder")
    differences = verify(folder)
    say.result({"ok": not differences, "differences": differences})
    if differences:
        for difference in differences:
            sys.stderr.write(f"{folder}: {difference}\n")
        raise StoreError(str(folder), "the release", wanted="what its manifest says",
                         got=f"{len(differences)} difference{'s' if len(differences) > 1 else ''}",
                         remedy="get it again from where it was made, or run its spec.lock.yaml")  # fmt: skip
    say.line(f"{folder}: every file is what the manifest says.")
    for note in unchecked(folder):
        say.line(f"Note: {note}.")


def list_plugins(group: str | None, say: Say) -> None:
    """Show the registered names of a group, or of all, or the examples."""
    from synthwright import examples

    known = [*registry.GROUPS, EXAMPLES]
    if group is not None and group not in known:
        from difflib import get_close_matches

        near = get_close_matches(group, known, n=1)
        raise UnknownNameError("list", repr(group), wanted=f"one of {', '.join(known)}", got="something else",
                               remedy=f"did you mean {near[0]!r}?" if near else "")  # fmt: skip
    found: dict[str, dict[str, str]] = {}
    for one in (g for g in registry.GROUPS if group in (None, g)):
        found[one] = {n: summary(registry.find(one, n)) for n in registry.names(one)}
    if group == EXAMPLES:
        found[EXAMPLES] = {n: examples.about(n) for n in examples.names()}
    say.result(found)
    for name, said in found.items():
        _show_names(name, said, say)
    if group is None:
        say.line(f"{len(examples.names())} complete examples: synthwright list {EXAMPLES}")


def _show_names(title: str, said: Mapping[str, str], say: Say) -> None:
    from rich.table import Table

    shown = Table("name", "what it does" if title != EXAMPLES else "what it is", title=title, title_justify="left")
    for name, about in said.items():
        shown.add_row(name, about.replace("[", r"\["))
    say.console.print(shown)
    if title == EXAMPLES:
        say.line("To take one: synthwright init --from NAME")


def explain_plugin(name: str, say: Say) -> None:
    """Show one recipe's parameters, and what is particular to its kind."""
    groups = [g for g in registry.GROUPS if name in registry.names(g)]
    if not groups:
        from difflib import get_close_matches

        every = sorted({n for g in registry.GROUPS for n in registry.names(g)})
        near = get_close_matches(name, every, n=1)
        raise UnknownNameError(
            "explain",
            repr(name),
            wanted="a registered name",
            got="an unknown one",
            remedy=f"did you mean {near[0]!r}?" if near else "`synthwright list` shows them",
        )
    told = []
    for group in groups:
        recipe = registry.find(group, name)
        found = parameters(recipe)
        told.append({"name": name, "group": group, "summary": summary(recipe), "about": (recipe.__doc__ or "").strip(),
                     "particulars": _particulars(recipe), "parameters": [p._asdict() for p in found]})  # fmt: skip
        _show_recipe(name, group, recipe, found, say)
    say.result(told if len(told) > 1 else told[0])


def _show_recipe(name: str, group: registry.Group, recipe: type[Recipe], found: list[Parameter], say: Say) -> None:
    import inspect

    from rich.padding import Padding

    say.line(f"{name} ({registry.one_of(group)})\n")
    say.line(inspect.getdoc(recipe) or "")
    for word, meaning in _particulars(recipe).items():
        say.line(f"  {word}: {meaning}")
    if not found:
        say.line("\nIt has no parameters.")
        return
    say.line("\nParameters")
    for p in found:
        bounds = f", {p.bounds}" if p.bounds else ""
        about = _plain(f"{p.kind}{bounds}; by default {_shown(p.default)}")
        head = f"[bold]{_plain(p.name)}[/bold]  [dim]{about}[/dim]"
        say.console.print(Padding(head, (0, 0, 0, 2)))
        say.console.print(Padding(_plain(" ".join(p.meaning.split())), (0, 0, 1, 6)))


def _plain(said: str) -> str:
    """Return text in which no bracket means a style."""
    return said.replace("[", r"\[")


def _shown(default: Any) -> str:
    """Return a default as a specification writes it; what was not said stays unsaid, long ones are cut short."""
    if isinstance(default, BaseModel):
        default = default.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = "nothing" if default is None or default in ("", (), {}) else str(default)
    return text if len(text) <= _LONG else f"{text[:_LONG]} …"


def _particulars(recipe: type[Recipe]) -> dict[str, str]:
    """Return what is particular to a generator, curator or metric."""
    if issubclass(recipe, Generator):
        able = cast(Generator, recipe).abilities
        return {"makes": ", ".join(sorted(able.kinds)), "can be given": able.given,
                "keeps real rows": "yes" if able.keeps_rows else "no"}  # fmt: skip
    if issubclass(recipe, Curator):
        return {"compares with real rows": "yes" if recipe.reads_real else "no"} | dict(recipe.reasons)
    if issubclass(recipe, Metric):
        return {
            "group": recipe.group,
            "better is": recipe.goal,
            "bounds": f"{recipe.bounds[0]:g} to {recipe.bounds[1]:g}",
            "it does not show": recipe.not_shown,
        }
    return {}
