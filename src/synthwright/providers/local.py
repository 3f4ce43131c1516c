"""An embedding model in a folder of this machine: it costs nothing, and no text leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field as Setting

from synthwright.core.chat import Chat, ModelError, NoReply, Price, Provider, Reply, Request, Vectors
from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.spec import PACE
from synthwright.kit.chat.local_models import Encoder, Limits, content_of, files_of, is_static, load

_EXTRAS = {True: ("local-models", ("safetensors", "tokenizers")),
           False: ("local-encoders", ("safetensors", "tokenizers", "torch", "transformers"))}  # fmt: skip
"""The extra and the packages, for static models and for encoders."""


class Local(Provider):
    """An embedding model in a folder of this machine. It embeds texts, writes none, and needs no network.

    The folder holds `config.json`, `tokenizer.json` and `model.safetensors`: static embeddings as model2vec saves them
    (extra `local-models`, quick and small), or a transformer encoder as Hugging Face saves it (extra `local-encoders`),
    whose states are averaged over the tokens, unless the folder's `1_Pooling` says that the first one counts. Neither
    pickles nor code of the folder are loaded. What the files hold is part of what is remembered, and of the lock.

    ```yaml
    models: {embedder: {use: local, with: {path: models/potion-base-8M}}}
    ```
    """

    name: ClassVar[str] = "local"
    pace: ClassVar[tuple[str, ...]] = (*PACE, "path", "threads")

    path: str = Setting(min_length=1)
    """The folder of the model, in the project folder."""
    contents: str | None = Setting(default=None, pattern="^[0-9a-f]{32}$")
    """What its files must hold, as a lock says it; nothing: whatever they do."""
    longest: int = Setting(default=256, ge=1, le=100_000)
    """Tokens of a text that are read; of longer ones the rest is left out."""
    threads: int = Setting(default=4, ge=1, le=256)
    """Processor threads of an encoder, at most."""
    in_flight: int = Setting(default=1, ge=1, le=64)
    """Requests that wait at once; they are answered one after another."""
    seconds: float = Setting(default=3600, gt=0, le=3600)
    """How long the embeddings of some texts may take."""
    price: Price | None = Price(0.0, 0.0)
    """US dollars for a million tokens, `[asked, wrote]`."""

    def placed(self, ctx: Context) -> tuple[Local, dict[str, Any]]:
        """Return it with its folder found, and what its files hold.

        Raises:
            InputError: files are missing, or hold other things than the lock says.
            PathError: the folder, or one of its files, is outside the project.
        """
        folder = ctx.open_path(self.path)
        found = content_of(files_of(folder, ctx.open_path))
        if self.contents not in (None, found):
            raise InputError(self.path, "the folder of a model", wanted="the files that `contents` stands for",
                             got="files with other contents", remedy="restore them, or take it out")  # fmt: skip
        return self.model_copy(update={"path": str(folder), "contents": found}), {"contents": found}

    def connect(self) -> Chat:
        """Look whether all is there; the model is loaded with the first question.

        Raises:
            InputError: files are missing.
            ModelError: a package is missing, or the weights cannot be read.
        """
        files = files_of(Path(self.path))
        self._need(static=True)
        try:
            static = is_static(files)
        except Exception as error:  # noqa: BLE001  the library raises exceptions of its own
            raise ModelError(self.name, "model.safetensors", wanted="weights as safetensors",
                             got=f"a file that cannot be read as such ({str(error)[:200]})") from None  # fmt: skip
        self._need(static=static)
        return LocalChat(files, Limits(self.longest, self.threads))

    def _need(self, *, static: bool) -> None:
        extra, packages = _EXTRAS[static]
        if lost := [name for name in packages if find_spec(name) is None]:
            raise ModelError(self.name, f"the package {lost[0]}", wanted="it installed", got="nothing",
                             remedy=f"It is an extra:\n  pip install 'synthwright[{extra}]'")  # fmt: skip


class LocalChat:
    """A model that is run here, in a thread of its own: the event loop goes on meanwhile."""

    def __init__(self, files: dict[str, Path], limits: Limits) -> None:
        self._files, self._limits = files, limits
        self._model: Encoder | None = None
        self._thread = ThreadPoolExecutor(1, "local-model")

    async def reply(self, request: Request) -> Reply:
        """Raise NoReply: it writes nothing."""
        raise NoReply("a model in a folder embeds texts and writes none: name another one to write", fatal=True)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an embedding of each text; NoReply where the files are no model."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._embed, texts)

    async def close(self) -> None:
        """Let the model go."""
        self._thread.shutdown(cancel_futures=True)
        self._model = None

    def _embed(self, texts: Sequence[str]) -> Vectors:
        try:
            if self._model is None:
                self._model = load(self._files, self._limits)
            return self._model.embed(texts)
        except Exception as error:  # noqa: BLE001  the libraries raise what broken files make them raise
            why = f"the model cannot be used: {type(error).__name__}: {str(error)[:300]}"
        raise NoReply(why, fatal=True)
