"""Embedding models in folders: static ones and encoders, made on the spot; what they need where it is installed."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthwright.core.chat import ModelError, NoReply, Provider, Request, Vectors
from synthwright.core.context import Context
from synthwright.core.errors import InputError, PathError
from synthwright.core.loading import load_spec
from synthwright.kit.chat import local_models
from synthwright.kit.chat.prices import price_of
from synthwright.line import run
from synthwright.providers import local
from synthwright.providers.local import Local

WORDS = ("[UNK]", "where", "is", "my", "card", "lost", "the", "weather", "[CLS]", "[SEP]")
SPEC = """
synthwright: 1
name: cards
schema: {tables: {t: {key: id, fields: {id: {kind: key, type: int64}, text: {kind: text}}}}}
start: {rows: {t: 3}}
models:
  embedder: {use: local, with: {path: models/tiny}}
  writer: {use: scripted, with: {answers: [where is my card, card my is where, lost lost, the weather]}}
parts:
  - {make: [t.id], use: counter}
  - {make: [t.text], use: prompt, with: {prompt: "Write {{ id }}."}}
curate: [{use: same-meaning, with: {by: embedder, similarity: 0.99}}]
waves: 12
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""


def tokenizer(folder: Path) -> None:
    """Write a tokenizer of a few words, which would cut and fill up if it were let."""
    tokenizers = pytest.importorskip("tokenizers", reason="the extra local-models is not installed")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing("[CLS] $0 [SEP]", None, [("[CLS]", 8), ("[SEP]", 9)])
    made.enable_padding(length=16)
    made.enable_truncation(3)
    made.save(str(folder / "tokenizer.json"))


def static(folder: Path, seed: int = 0, **more: np.ndarray) -> np.ndarray:
    """Write a static model; return the vectors of its tokens."""
    numpy = pytest.importorskip("safetensors.numpy", reason="the extra local-models is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder)
    table: np.ndarray = np.random.default_rng(seed).normal(size=(len(WORDS), 8)).astype(np.float32)
    numpy.save_file({"embeddings": table} | more, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return table


def encoder(folder: Path) -> Any:
    """Write an encoder of random weights; return it."""
    torch = pytest.importorskip("torch", reason="the extra local-encoders is not installed")
    transformers = pytest.importorskip("transformers", reason="the extra local-encoders is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer(folder)
    torch.manual_seed(1)
    shape = transformers.BertConfig(vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                                    num_attention_heads=2, max_position_embeddings=12)  # fmt: skip
    model = transformers.BertModel(shape).eval()
    model.save_pretrained(folder)
    return model


def embedded(provider: Provider, texts: list[str]) -> Vectors:
    """Return what a provider says of texts."""

    async def once() -> Vectors:
        chat = provider.connect()
        try:
            return await chat.embed(texts)
        finally:
            await chat.close()

    return asyncio.run(once())


def unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length 1."""
    return np.asarray(vector / np.linalg.norm(vector))


def test_static(tmp_path: Path) -> None:
    """A text has the mean of its tokens' vectors, at length 1; what the model does not know counts nothing."""
    table = static(tmp_path)
    said = embedded(Local(path=str(tmp_path)), ["where is my card", "lost unheard lost is", "unheard", ""])
    assert said.rows[0] == pytest.approx(unit(table[[1, 2, 3, 4]].mean(axis=0)), abs=1e-6)
    assert said.rows[1] == pytest.approx(unit(table[[5, 5, 2]].mean(axis=0)), abs=1e-6)
    assert not np.any(said.rows[2:])
    assert said.asked == 7
    assert price_of(Local(path="x")) == (0.0, 0.0)


def test_static_shares_vectors(tmp_path: Path) -> None:
    """Tokens may share vectors and weigh differently; of long texts the first tokens are read."""
    mapping = np.array([0, 1, 1, 2, 2, 3, 3, 4, 5, 5])
    weights = np.linspace(0.5, 2.0, len(WORDS))
    table = static(tmp_path, mapping=mapping, weights=weights)
    said = embedded(Local(path=str(tmp_path), longest=2), ["where lost my card"])
    assert said.rows[0] == pytest.approx(unit(table[1] * weights[1] + table[3] * weights[5]), abs=1e-6)
    assert said.asked == 2


def test_static_without_vectors(tmp_path: Path) -> None:
    """A tokenizer that knows more than the table ends the run, and says why."""
    static(tmp_path, mapping=np.full(len(WORDS), 99))
    with pytest.raises(NoReply, match="tokens that have no vector") as caught:
        embedded(Local(path=str(tmp_path)), ["my card"])
    assert caught.value.fatal


def test_encoder(tmp_path: Path) -> None:
    """The states of an encoder are averaged over a text's own tokens, in whatever company it is read."""
    model = encoder(tmp_path)
    torch = pytest.importorskip("torch")
    texts = ["where is my card", "lost", "the weather is lost my card", "is is is"] * 12
    said = np.array(embedded(Local(path=str(tmp_path), threads=1), texts).rows)
    with torch.inference_mode():
        alone = model(torch.tensor([[8, 1, 2, 3, 4, 9]])).last_hidden_state.mean(dim=1)[0].numpy()
    assert said[0] == pytest.approx(unit(alone), abs=1e-5)
    assert said[44:] == pytest.approx(said[:4], abs=1e-5)
    assert np.linalg.norm(said, axis=1) == pytest.approx(np.ones(48), abs=1e-5)
    cut = embedded(Local(path=str(tmp_path), threads=1), [" ".join(["card"] * 50)])
    assert cut.asked == 10


def test_encoder_pooling(tmp_path: Path) -> None:
    """Where the folder says that the first token counts it does; other ways are refused, not guessed."""
    model = encoder(tmp_path)
    torch = pytest.importorskip("torch")
    (tmp_path / "1_Pooling").mkdir()
    said = tmp_path / "1_Pooling" / "config.json"
    said.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    with torch.inference_mode():
        first = model(torch.tensor([[8, 5, 9]])).last_hidden_state[0, 0].numpy()
    assert embedded(Local(path=str(tmp_path)), ["lost"]).rows[0] == pytest.approx(unit(first), abs=1e-5)
    said.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(NoReply, match="pooling_mode_max_tokens"):
        embedded(Local(path=str(tmp_path)), ["lost"])


def test_encoder_lacks_weights(tmp_path: Path) -> None:
    """Weights that are missing are not made up."""
    encoder(tmp_path)
    torch_files = pytest.importorskip("safetensors.torch")
    held = torch_files.load_file(tmp_path / "model.safetensors")
    held.pop(next(name for name in held if "layer.1" in name))
    torch_files.save_file(held, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(NoReply, match="lacks weights"):
        embedded(Local(path=str(tmp_path)), ["lost"])


def test_no_code_of_the_folder_runs(tmp_path: Path) -> None:
    """A folder that brings code for its model is refused, and nothing of it is run."""
    encoder(tmp_path)
    ran = tmp_path / "ran"
    (tmp_path / "own.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    said = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(said))
    with pytest.raises(NoReply, match="cannot be used"):
        embedded(Local(path=str(tmp_path)), ["lost"])
    assert not ran.exists()


def test_pickles_and_gaps_are_refused(tmp_path: Path) -> None:
    """A folder without weights is told so; weights that are a pickle only are not read."""
    with pytest.raises(InputError, match=r"no config.json and no tokenizer.json and no model.safetensors"):
        Local(path=str(tmp_path)).connect()
    for name in ("config.json", "tokenizer.json", "pytorch_model.bin"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(InputError, match="only a pickle"):
        Local(path=str(tmp_path)).connect()


def test_broken_weights(tmp_path: Path) -> None:
    """Weights that are none are told before anything is asked."""
    static(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(ModelError, match="cannot be read as such"):
        Local(path=str(tmp_path)).connect()


def test_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is named with the line that installs it."""
    for name in local_models.NEEDED:
        (tmp_path / name).write_bytes(b"{}")
    monkeypatch.setattr(local, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match=r"pip install 'synthwright\[local-models\]'"):
        Local(path=str(tmp_path)).connect()
    monkeypatch.setattr(local, "find_spec", lambda name: None if name in ("torch", "transformers") else name)
    monkeypatch.setattr(local, "is_static", lambda _: False)
    with pytest.raises(ModelError, match=r"package torch.*\n.*synthwright\[local-encoders\]"):
        Local(path=str(tmp_path)).connect()


def test_it_writes_nothing() -> None:
    """Who asks it to write is told to name another model."""
    chat = local.LocalChat({}, local_models.Limits(1, 1))
    with pytest.raises(NoReply, match="writes none"):
        asyncio.run(chat.reply(Request.of("Hello")))


def test_the_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """While texts are embedded the event loop does other things."""

    class Slow:
        def embed(self, texts: list[str]) -> Vectors:
            time.sleep(0.2)
            return Vectors([[1.0]] * len(texts), 1)

    monkeypatch.setattr(local, "load", lambda *_: Slow())

    async def beside() -> int:
        chat, turns = local.LocalChat({}, local_models.Limits(1, 1)), 0
        task = asyncio.create_task(chat.embed(["a"]))
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        await chat.close()
        return turns

    assert asyncio.run(beside()) >= 3


def test_contents_are_the_identity(tmp_path: Path) -> None:
    """Other contents are another model, and refused where others are pinned; the same ones elsewhere are the same."""
    for name in local_models.NEEDED:
        for folder, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_bytes(content)
    ctx = Context(root=tmp_path)
    a, b, c = (Local(path=folder).placed(ctx) for folder in "abc")
    assert a[0].identity() == b[0].identity() != c[0].identity()
    assert a[1] == {"contents": a[0].contents}
    assert str(tmp_path) not in json.dumps(a[0].identity())
    with pytest.raises(InputError, match="other contents"):
        Local(path="c", contents=a[0].contents).placed(ctx)


def test_paths_stay_inside(tmp_path: Path) -> None:
    """Neither the folder nor a link in it leads out of the project."""
    outside, inside = tmp_path / "outside", tmp_path / "project"
    (inside / "linked").mkdir(parents=True)
    outside.mkdir()
    for name in local_models.NEEDED:
        (outside / name).write_bytes(b"1")
        (inside / "linked" / name).symlink_to(outside / name)
    for path in ("../outside", "linked"):
        with pytest.raises(PathError, match="leaves it"):
            Local(path=path).placed(Context(root=inside))


def test_whole_run(tmp_path: Path) -> None:
    """Texts of the same words go; the lock says what the model holds, and rebuilds the release by it alone."""
    static(tmp_path / "models" / "tiny")
    (tmp_path / "cards.yaml").write_text(SPEC)
    report = run(load_spec(tmp_path / "cards.yaml"), tmp_path / "out")
    assert report.verdict == "released"
    assert report.dropped["same-meaning"] > 0
    said = [json.loads(x)["text"] for x in next((tmp_path / "out/data").rglob("*.jsonl")).read_text().splitlines()]
    assert len({" ".join(sorted(text.split())) for text in said}) == len(said)
    lock = (tmp_path / "out/spec.lock.yaml").read_text()
    assert "path: models/tiny" in lock
    assert "contents: " in lock
    everything = [p for p in (tmp_path / "out").rglob("*") if p.is_file() and ".store" not in p.parts]
    assert not [p for p in everything if str(tmp_path).encode() in p.read_bytes()]
    locked = load_spec(tmp_path / "out/spec.lock.yaml", root=tmp_path)
    assert run(locked, tmp_path / "again").verdict == "released"
    static(tmp_path / "models" / "tiny", seed=2)
    with pytest.raises(InputError, match="other contents"):
        run(load_spec(tmp_path / "out/spec.lock.yaml", root=tmp_path), tmp_path / "third")


def test_path_is_wanted() -> None:
    """Without a folder there is no model."""
    with pytest.raises(ValueError, match="path"):
        Local.model_validate({})
