"""Hold the rules of the house that no linter knows.

    python tools/check_house.py [FOLDER]

Code under src: nothing that can run what a file contains (pickle and its kin, eval, exec, imports by name), no
randomness but the context's, no built-in `hash` of text (it differs from process to process). Everywhere: no machine
paths, no names of registries, no emojis; no `utils.py`, no `BaseThing`, no `ThingManager`.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

RUNS_FILES = frozenset({"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "multiprocessing", "_pickle"})
"""Modules that turn bytes into code or objects; `multiprocessing` sends everything by pickle."""
RUNS_TEXT = frozenset({"eval", "exec", "compile", "__import__"})
IMPORTS_BY_NAME = frozenset(
    {"src/synthwright/__init__.py", "src/synthwright/core/registry.py", "src/synthwright/engine/work.py"}
)
"""The files that import what a name says: public names, registered plug-ins, and the functions that workers run."""
DRAWS = "src/synthwright/core/context.py"
"""The one file that makes streams of randomness."""
GENERATOR_TYPES = frozenset({"Generator", "Philox", "BitGenerator", "SeedSequence"})

VAGUE_FILES = frozenset({"utils.py", "util.py", "helpers.py", "helper.py", "common.py", "misc.py"})
VAGUE_CLASS = re.compile(r"^_?Base[A-Z]\w*$|^\w*(Manager|Helper)$")
TEXT_ENDINGS = frozenset({".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".lock", ".html", ".css", ".js", ".json", ""})
MACHINE = re.compile("|".join((r"(?<![\w.])/wo" + r"rk/", r"(?<![\w.])/ro" + r"ot\b", r"(?<![\w.])/ho" + r"me/\w",
                               r"\bpypi\." + r"org\b", r"pythonhost" + r"ed", r"/opt/" + r"pypi")))  # fmt: skip
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u26ff\u2705\u2714\u2716\u2728\u274c\u274e\u2753-\u2757\ufe0f]")
SKIPPED = frozenset({"node_modules", "__pycache__", "build", "dist", "out"})


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a chain of names, or an empty text."""
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def modules(node: ast.AST) -> list[str]:
    """Return the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
    return []


def keyword_is(call: ast.Call, name: str, *, value: bool) -> bool:
    """Return whether a call says `name=value` in so many words."""
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is value for k in call.keywords)


def call_faults(call: ast.Call, shown: str) -> Iterator[str]:
    """Yield what is wrong with one call."""
    name = dotted(call.func)
    last = name.rpartition(".")[2]
    if name in RUNS_TEXT:
        yield f"{name}() runs text as code"
    if last == "import_module" and shown not in IMPORTS_BY_NAME:
        yield "import_module() belongs to the registry"
    if name in ("np.load", "numpy.load") and not keyword_is(call, "allow_pickle", value=False):
        yield "np.load() without allow_pickle=False"
    if keyword_is(call, "allow_pickle", value=True):
        yield "allow_pickle=True"
    if name == "torch.load" and not keyword_is(call, "weights_only", value=True):
        yield "torch.load() without weights_only=True"
    if last in ("read_pickle", "to_pickle"):
        yield f"{last}() reads or writes pickle"
    if name == "hash":
        yield "hash() of text differs from process to process: use core.schema.fingerprint or kit.rows"
    drawn = re.match(r"(?:np|numpy)\.random\.(\w+)$", name)
    if drawn and drawn[1] not in GENERATOR_TYPES and shown != DRAWS:
        yield f"{name}(): randomness comes from ctx.rng only"


def code_faults(tree: ast.Module, shown: str) -> Iterator[tuple[int, str]]:
    """Yield line and fault of everything in a source file that the house forbids."""
    for node in ast.walk(tree):
        for module in modules(node):
            if module.partition(".")[0] in RUNS_FILES:
                yield node.lineno, f"imports {module}, which runs what a file contains"  # type: ignore[attr-defined]
            if module in ("random", "concurrent.futures.ProcessPoolExecutor"):
                yield node.lineno, f"imports {module}: not seeded by the context, or sends by pickle"  # type: ignore[attr-defined]
        if isinstance(node, ast.Call):
            for fault in call_faults(node, shown):
                yield node.lineno, fault


def named_faults(path: Path, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and fault of every name that says nothing."""
    if path.name in VAGUE_FILES:
        yield 1, f"{path.name} says nothing: name the file after what it does"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.match(node.name):
            yield node.lineno, f"class {node.name}: no Base…, Manager or Helper; name it after what it is"


def text_faults(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and fault of what may stand in no file."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE.search(line):
            yield number, f"{found[0]!r} names somebody's machine or a registry"
        if found := EMOJI.search(line):
            yield number, f"an emoji (U+{ord(found[0]):04X})"


def files(root: Path) -> Iterator[Path]:
    """Yield every text file of the project, sorted."""
    for folder, below, names in os.walk(root):
        below[:] = sorted(b for b in below if b not in SKIPPED and (b == ".ci" or not b.startswith(".")))
        yield from (Path(folder, n) for n in sorted(names) if Path(n).suffix in TEXT_ENDINGS)


def faults(path: Path, shown: str) -> Iterator[str]:
    """Yield what is wrong with a file, as `file:line: what`."""
    text = path.read_text(encoding="utf-8")
    found = list(text_faults(text))
    if path.suffix == ".py":
        tree = ast.parse(text)
        found += named_faults(path, tree)
        if shown.startswith("src/"):
            found += code_faults(tree, shown)
    for line, fault in sorted(found):
        yield f"{shown}:{line}: {fault}"


def main(root: Path) -> int:
    """Print every fault below a folder; 1 if there is one."""
    found = [fault for path in files(root) for fault in faults(path, path.relative_to(root).as_posix())]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
