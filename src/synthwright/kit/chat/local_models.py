"""Embedding models in a folder of this machine; nothing is sent, and no code of the folder is run.

Two kinds: static ones, where every token has a vector and a text has the mean of its tokens' (Model2Vec, Tulkens and
van Dongen 2024), and encoders, whose states are averaged over the tokens of a text (Sentence-BERT, Reimers and Gurevych
2019, arXiv 1908.10084). Imported late, with what they need: `tokenizers` and `safetensors`, encoders `transformers`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from synthwright.core.chat import Vectors
from synthwright.core.errors import InputError
from synthwright.core.hashes import sha256
from synthwright.core.schema import fingerprint

WEIGHTS = "model.safetensors"
NEEDED = ("config.json", "tokenizer.json", WEIGHTS)
_POOLING = "1_Pooling/config.json"
_TABLES = ("embeddings", "embedding.weight")
"""What the vectors of tokens are called."""
_POOLS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
"""Ways in which the states of tokens become one vector, as folders name them."""
_AT_ONCE = 32
_OWN_ENDS = 2
"""Positions that some encoders keep for themselves."""


class Encoder(Protocol):
    """Turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a vector of length 1 for each text, and how many tokens were read; without tokens it has no length."""


class Limits(NamedTuple):
    """What an encoder may take."""

    longest: int
    """Tokens of a text that are read."""
    threads: int
    """Processor threads."""


def files_of(folder: Path, opened: Callable[[Path], Path] = Path) -> dict[str, Path]:
    """Return the files of a model by name.

    Args:
        folder: where it is.
        opened: returns where a file is, if it may be read.

    Raises:
        InputError: one is missing; or the weights are there only as a pickle, which could run code.
    """
    lost = [name for name in NEEDED if not opened(folder / name).is_file()]
    if lost:
        pickled = WEIGHTS in lost and any(folder.glob("*.bin"))
        raise InputError(
            folder.name, "the folder of a model", wanted=f"the files {', '.join(NEEDED)}",
            got=f"no {' and no '.join(lost)}" + (", only a pickle (.bin), which could run code" if pickled else ""),
            remedy="save the model as safetensors" if pickled else "name the folder that holds the model",
        )  # fmt: skip
    return {name: opened(folder / name) for name in (*NEEDED, _POOLING) if opened(folder / name).is_file()}


def content_of(files: dict[str, Path]) -> str:
    """Return the identity of what the files of a model hold."""
    return fingerprint({name: sha256(path) for name, path in files.items()})


def is_static(files: dict[str, Path]) -> bool:
    """Return whether a model is a table of vectors, one for each token, and not an encoder."""
    from safetensors import safe_open

    with safe_open(files[WEIGHTS], framework="numpy") as held:
        return any(name in held.keys() for name in _TABLES)  # noqa: SIM118  it is no mapping


def load(files: dict[str, Path], limits: Limits) -> Encoder:
    """Return the model that stands in files; whatever its libraries raise where these are broken."""
    return Static(files, limits.longest) if is_static(files) else Transformer(files, limits)


class Static:
    """Vectors of tokens, averaged. Tokens may share vectors (`mapping`), and count differently (`weights`)."""

    def __init__(self, files: dict[str, Path], longest: int) -> None:
        from safetensors import safe_open

        self.tokenizer, self.longest = _tokenizer(files), longest
        with safe_open(files[WEIGHTS], framework="numpy") as held:
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118  it is no mapping
        self.table = next(tensors[name] for name in _TABLES if name in tensors).astype(np.float32)
        many = self.tokenizer.get_vocab_size()
        self.mapping = tensors.get("mapping", np.arange(many)).astype(np.int64)
        self.weights = tensors.get("weights", np.ones(len(self.mapping))).astype(np.float32)
        if self.table.ndim != 2 or min(len(self.mapping), len(self.weights)) < many or (
            self.mapping.max(initial=-1) >= len(self.table)
        ):  # fmt: skip
            raise ValueError("its tokenizer knows tokens that have no vector")
        unknown = getattr(self.tokenizer.model, "unk_token", None)
        self.unknown = -1 if unknown is None else self.tokenizer.token_to_id(unknown)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the mean vector of each text's tokens; those that the model does not know count nothing."""
        from scipy import sparse

        said = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        every = [np.array(one.ids, dtype=np.int64) for one in said]
        tokens = [ids[ids != self.unknown][: self.longest] for ids in every]
        sizes = np.array([len(ids) for ids in tokens])
        flat = np.concatenate(tokens)
        means = self.weights[flat] / np.repeat(sizes, sizes)
        ends = np.concatenate([[0], np.cumsum(sizes)])
        which = sparse.csr_array((means, self.mapping[flat], ends), shape=(len(texts), len(self.table)))
        return _vectors(which @ self.table, int(sizes.sum()))


class Transformer:
    """An encoder, run on this machine's processor; texts of like length are read together."""

    def __init__(self, files: dict[str, Path], limits: Limits) -> None:
        import torch
        from transformers import AutoModel
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        self.torch, self.limits, self.pool = torch, limits, _pool(files)
        self.model, told = AutoModel.from_pretrained(
            files[WEIGHTS].parent, local_files_only=True, trust_remote_code=False, use_safetensors=True,
            dtype=torch.float32, output_loading_info=True,
        )  # fmt: skip
        lost = [name for name in told["missing_keys"] if "pooler" not in name]  # what is not asked for
        if lost:  # they would be made up by chance
            raise ValueError(f"{WEIGHTS} lacks weights of the model: {', '.join(sorted(lost)[:3])} …")
        self.model.eval()
        most = getattr(self.model.config, "max_position_embeddings", None)
        self.tokenizer = _tokenizer(files)
        self.tokenizer.enable_truncation(min(limits.longest, most - _OWN_ENDS if most else limits.longest))
        self.blank = getattr(self.model.config, "pad_token_id", None) or 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the mean, or the first, of the last states of each text's tokens."""
        self.torch.set_num_threads(min(self.limits.threads, os.cpu_count() or 1))
        every = [one.ids for one in self.tokenizer.encode_batch(list(texts))]
        sizes = np.array([len(ids) for ids in every])
        order = np.argsort(sizes, kind="stable")
        found = np.zeros((len(texts), self.model.config.hidden_size), dtype=np.float32)
        for begin in range(0, len(order), _AT_ONCE):
            rows = order[begin : begin + _AT_ONCE]
            found[rows] = self._states([every[i] for i in rows])
        return _vectors(found, int(sizes.sum()))

    def _states(self, every: list[list[int]]) -> np.ndarray:
        """Return one vector for each of some texts, given as tokens."""
        torch = self.torch
        width = max(1, *map(len, every))
        tokens = torch.tensor([ids + [self.blank] * (width - len(ids)) for ids in every])
        there = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in every])
        with torch.inference_mode():
            states = self.model(input_ids=tokens, attention_mask=there).last_hidden_state
            if self.pool == "first":
                return np.asarray(states[:, 0])
            weight = there.unsqueeze(-1)
            return np.asarray((states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1))


def _pool(files: dict[str, Path]) -> str:
    """Return how the states of tokens become one vector: as the folder says, else their mean."""
    if _POOLING not in files:
        return "mean"
    said: dict[str, Any] = json.loads(files[_POOLING].read_bytes())
    ways = [way for way, on in said.items() if way.startswith("pooling_mode_") and on is True]
    if len(ways) > 1 or any(way not in _POOLS for way in ways):
        raise ValueError(f"{_POOLING} wants {' and '.join(ways)}: only the mean and the first token are known")
    return _POOLS[ways[0]] if ways else "mean"


def _tokenizer(files: dict[str, Path]) -> Any:
    """Return the tokenizer, which neither cuts nor fills up."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(files["tokenizer.json"]))
    found.no_padding()
    found.no_truncation()
    return found


def _vectors(found: np.ndarray, tokens: int) -> Vectors:
    from synthwright.kit.texts.text_vectors import unit

    return Vectors(unit(found).tolist(), tokens)
