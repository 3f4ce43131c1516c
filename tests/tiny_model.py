"""Make a language model of a few thousand random weights, whose tokens are bytes: enough for a server to serve.

usage: tiny_model.py FOLDER, with the Python of an environment that has transformers and torch.

What it writes is no language: any bytes, a dozen on average, of which many are no characters.
"""

from __future__ import annotations

import string
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

END = "<|end|>"
TURNS = "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}" + END + "{% endfor %}"


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer that knows every byte, and the end of a turn."""
    signs = [*sorted(pre_tokenizers.ByteLevel.alphabet()), END]
    made = Tokenizer(models.BPE(vocab={sign: i for i, sign in enumerate(signs)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token=END, pad_token=END, chat_template=TURNS)


def main(folder: Path) -> int:
    """Write model and tokenizer."""
    torch.manual_seed(1)
    words = tokenizer()
    shape = LlamaConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=4096, bos_token_id=None, eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )  # fmt: skip
    model = LlamaForCausalLM(shape)
    model.generation_config.update(
        do_sample=True, min_new_tokens=4,
        eos_token_id=[words.eos_token_id, *words.convert_tokens_to_ids(list(string.ascii_letters))],  # ends soon
    )  # fmt: skip
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
