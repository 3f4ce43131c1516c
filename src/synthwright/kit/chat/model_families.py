"""Families of language models: those of one family like each other's texts, so that none should judge its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "Claude": ("claude",),
    "Cohere": ("command", "aya", "c4ai"),
    "DeepSeek": ("deepseek",),
    "Falcon": ("falcon",),
    "Google": ("gemini", "gemma"),
    "GLM": ("glm", "chatglm"),
    "Granite": ("granite",),
    "Grok": ("grok",),
    "Kimi": ("kimi", "moonshot"),
    "Llama": ("llama", "codellama", "tinyllama", "vicuna"),
    "MiniMax": ("minimax",),
    "Mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
    "Nova": ("nova",),
    "OLMo": ("olmo",),
    "OpenAI": ("gpt", "chatgpt", "davinci", "o1", "o3", "o4"),
    "Phi": ("phi",),
    "Qwen": ("qwen", "qwq", "qvq"),
    "SmolLM": ("smollm",),
    "Yi": ("yi",),
}
_WORD = re.compile(r"[a-z]+")
_WHOLE = re.compile(r"[a-z]+\d*")


def families(model: str) -> frozenset[str]:
    """Return the families of a model by what its endpoint calls it; nothing where there is no name.

    One that was distilled from another belongs to both (`deepseek-r1-distill-qwen-7b`). A model of no known family is
    one of its own: the first word of its name.
    """
    name = model.casefold().rpartition("/")[2] or model.casefold()
    pieces = {*_WORD.findall(name), *_WHOLE.findall(name)}
    known = frozenset(f for f, stems in _FAMILIES.items() if pieces & set(stems))
    first = _WORD.search(name)
    return known or (frozenset([first[0]]) if first else frozenset())


def akin(judge: str, others: Collection[str], called: Mapping[str, str], trains: str = "") -> tuple[str, ...]:
    """Return what readers must know where a judge is of the family of a model that wrote, or is to be trained.

    Args:
        judge: the judge, as the specification calls it.
        others: the models that wrote.
        called: what each model's endpoint calls it.
        trains: the model that is to be trained; nothing: none is known.
    """
    mine, name = families(called.get(judge, "")), called.get(judge, "")
    beside = [(f"the writer {o!r} ({called[o]})", called[o]) for o in sorted(others) if called.get(o)]
    beside += [(f"the model to be trained ({trains})", trains)] if trains else []
    found = []
    for told, other in beside:
        if both := sorted(mine & families(other)):
            found.append(f"the judge {judge!r} ({name}) and {told} are of one family, {', '.join(both)}: models prefer "
                         "texts of their own kind, so take a judge of another family")  # fmt: skip
    return tuple(found)
