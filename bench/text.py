"""Text by a language model over HTTP: rows a second, processor seconds and memory, beside Data Designer and Curator.

usage: text.py [--peer PYTHON-OF-AN-ENVIRONMENT-WITH-DATA-DESIGNER] [--curator PYTHON-OF-ONE-WITH-CURATOR]

The model is a server on this machine, a process of its own, that answers after a fixed delay. Three tasks:

* made: rows are generated and written as JSONL, the process from its start to its end;
* run: the whole line, proof and report too;
* many: 10,000 rows, 256 in flight.

Processor seconds and memory are those of the generating process, its imports among them, not of the server. A first
run of each is not counted: it compiles what was never imported on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

SPEC = """
synthwright: 1
name: tickets
seed: 1
schema:
  tables:
    ticket:
      fields:
        intent: {kind: category, nulls: false, labels: [refund, login]}
        text: {kind: text, nulls: false}
start: {rows: {ticket: ROWS}}
models: {writer: {use: openai, with: {model: m, url: 'URL', allow_private: true, in_flight: FLIGHT}}}
parts:
  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - {make: [ticket.text], use: prompt, with: {prompt: "A customer writes about {{ intent }}."}}
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""
MADE = """
import sys, time, json
from dataclasses import replace
from pathlib import Path
from synthwright.core.loading import load_spec
from synthwright.core.plan import plan
from synthwright.steps.curate import curate
from synthwright.steps.fit import fit
from synthwright.steps.generate import generate
from synthwright.steps.models import connected
from synthwright.steps.orders import Bench
from synthwright.steps.start import first_start
from synthwright.store.folder import FolderStore
loaded = load_spec(Path(sys.argv[1]))
out = Path(sys.argv[2])
begun = time.monotonic()
made = plan(loaded.spec, loaded.spec.schema_, loaded.fault)
store = FolderStore.open(out / ".store")
with connected(made, store) as models:
    bench = Bench(made, store, replace(loaded.ctx, seed=loaded.spec.seed, store=store, models=models), None)
    shards, start = generate(bench, fit(bench), first_start(bench), [])
    wave = curate(bench, shards, [], start.slots)
files = made.sink.write(wave.kept(), out / "data", {})
print(json.dumps({"wall": time.monotonic() - begun, "rows": sum(1 for f in files for _ in open(f, "rb"))}))
"""
PEER = """
import json, os, sys, time
url, rows, flight, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ["LOCAL_KEY"] = "x"
import data_designer.config as dd
from data_designer.interface import DataDesigner
provider = dd.ModelProvider(name="local", endpoint=url, provider_type="openai", api_key="LOCAL_KEY")
designer = DataDesigner(artifact_path=out, model_providers=[provider])
model = dd.ModelConfig(alias="writer", model="m", provider="local", skip_health_check=True,
                       inference_parameters=dd.ChatCompletionInferenceParams(max_parallel_requests=flight))
builder = dd.DataDesignerConfigBuilder(model_configs=[model])
builder.add_column(dd.SamplerColumnConfig(name="intent", sampler_type=dd.SamplerType.CATEGORY,
                                          params=dd.CategorySamplerParams(values=["refund", "login"])))
builder.add_column(dd.LLMTextColumnConfig(name="text", model_alias="writer",
                                          prompt="A customer writes about {{ intent }}."))
begun = time.monotonic()
frame = designer.create(builder, num_records=rows, dataset_name="d").load_dataset()
path = os.path.join(out, "rows.jsonl")
frame.to_json(path, orient="records", lines=True)
print(json.dumps({"wall": time.monotonic() - begun, "rows": sum(1 for _ in open(path, "rb"))}))
"""

CURATOR = """
import importlib.util, json, os, random, sys, time
url, rows, flight, out = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
words = importlib.util.find_spec("litellm").submodule_search_locations[0] + "/litellm_core_utils/tokenizers"
os.environ |= {"OPENAI_API_KEY": "x", "CURATOR_CACHE_DIR": out, "CURATOR_VIEWER": "0", "TELEMETRY_ENABLED": "false",
               "CURATOR_DISABLE_RICH_DISPLAY": "1", "TIKTOKEN_CACHE_DIR": words}
from bespokelabs import curator
class Writer(curator.LLM):
    def prompt(self, row):
        return f"A customer writes about {row['intent']}."
    def parse(self, row, response):
        return {"intent": row["intent"], "text": response}
begun = time.monotonic()
dice = random.Random(1)
limits = {"max_concurrent_requests": flight, "max_requests_per_minute": 10**6, "max_tokens_per_minute": 10**9}
writer = Writer(model_name="m", backend="openai", backend_params={"base_url": url, "api_key": "x", **limits})
found = writer([{"intent": dice.choice(["refund", "login"])} for _ in range(rows)])
path = os.path.join(out, "rows.jsonl")
getattr(found, "dataset", found).to_json(path)
print(json.dumps({"wall": time.monotonic() - begun, "rows": sum(1 for _ in open(path, "rb"))}))
"""


@contextmanager
def served(delay: float) -> Iterator[str]:
    """Run a server; give its address."""
    command = [sys.executable, "-m", "synthwright.testing.chat_server", "--delay", str(delay), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    port = re.findall(r"\d+", process.stdout.readline())[-1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait()


def measured(command: list[str]) -> dict[str, Any]:
    """Run a command; return what it says, its wall and processor seconds, and its memory."""
    begun = time.monotonic()
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["HF_HUB_OFFLINE"] = "1"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:3]} failed")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    last = lines[-1] if lines else {}
    return {"all": time.monotonic() - begun, "cpu": usage.ru_utime + usage.ru_stime,
            "mib": usage.ru_maxrss / 1024, **last}  # fmt: skip


def ours(task: str, url: str, rows: int, flight: int, folder: Path) -> dict[str, Any]:
    """Measure one of our tasks."""
    spec = folder / "tickets.yaml"
    text = SPEC.replace("ROWS", str(rows)).replace("URL", url).replace("FLIGHT", str(flight))
    spec.write_text(text, encoding="utf-8")
    if task == "run":
        found = measured([sys.executable, "-m", "synthwright", "run", str(spec), "--out", str(folder / "out")])
        return found | {"wall": found["all"], "rows": rows}
    return measured([sys.executable, "-c", MADE, str(spec), str(folder / "out")])


def line(who: str, task: str, found: dict[str, Any]) -> str:
    """Return a row of the table."""
    return (f"| {who} | {task} | {found['rows']:,} | {found['rows'] / found['wall']:,.0f} | {found['wall']:.2f} "
            f"| {found['cpu']:.2f} | {found['mib']:,.0f} |")  # fmt: skip


def beside(command: list[str], folder: Path) -> dict[str, Any]:
    """Measure a peer, which writes into a folder."""
    return measured([*command, str(folder)])


def middle(measure: Callable[[Path], dict[str, Any]], repeats: int) -> dict[str, Any]:
    """Return the median of some runs by processor seconds; a first one is not counted."""
    found = []
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder)))
    return sorted(found[1:], key=lambda f: f["cpu"])[repeats // 2]


def main() -> int:
    """Measure everything; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--curator", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    said = parser.parse_args()
    print(f"Python {platform.python_version()}, synthwright {metadata.version('synthwright')}, aiohttp "
          f"{metadata.version('aiohttp')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
          f"the median of {said.repeats} by processor seconds\n")  # fmt: skip
    print("| who | task | rows | rows/s | wall s | CPU s | MiB |")
    print("|---|---|---|---|---|---|---|")
    tasks = [("made", 1_000, 32, 0.05), ("run", 1_000, 32, 0.05), ("many", 10_000, 256, 0.05)]
    peers = [("data-designer", said.peer, PEER), ("curator", said.curator, CURATOR)]
    for task, rows, flight, delay in tasks:
        with served(delay) as url:
            found = middle(partial(ours, task, url, rows, flight), said.repeats)
            print(line("synthwright", task, found), flush=True)
            for who, python, code in peers if task == "made" else ():
                if python is not None:
                    command = [str(python), "-c", code, url, str(rows), str(flight)]
                    found = middle(partial(beside, command), said.repeats)
                    print(line(who, task, found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
