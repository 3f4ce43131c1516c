"""Extract common single-word synonyms from Open English WordNet: writes `src/synthwright/kit/texts/synonyms.csv`.

    python tools/synonyms.py SYNSETS.jsonl.gz [OUT.csv]

Each line of the input is a synset, `{"pos": …, "members": […], "definition": […], "example": […]}`. Which words are
common is counted in the definitions and examples themselves. Of the words that share a synset with a word, those are
kept that seldom mean anything else: `automobile` for `car`, and not `machine`. Synsets that a definition calls
offensive or the like are left out, and so are words that mostly serve grammar.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

SYNONYMS = Path(__file__).resolve().parents[1] / "src" / "synthwright" / "kit" / "texts" / "synonyms.csv"
MOST = 4
"""Synonyms of a word that are kept."""
COMMON, OFTEN = 3, 6
"""How often a word, and how often a synonym of it, occurs in definitions and examples."""
LEAST = 0.14
"""The share of a synonym's own synsets that the word must be in."""
NEAR = 0.5
"""How likely a synonym must be beside the likeliest."""
SENSES = 14
"""Synsets of a word beyond which no synonym is likely to be meant."""
HEAD = (
    "# Synonyms of common English words, from Open English WordNet (https://github.com/globalwordnet/english-wordnet),",
    "# CC BY 4.0, derived from Princeton WordNet. Made by tools/synonyms.py: single words, the likeliest only.",
)
_BAD = re.compile(r"\b(?:slur|offensive|vulgar|obscene|disparag|derogat|insult|taboo|racist|ethnic|sexual|slang|"
                  r"genital|copulat|prostitut|excret|feces|homosexual|whore)", re.IGNORECASE)  # fmt: skip
_WORD = re.compile(r"[a-z]{3,}")
_GRAMMAR = """
about above across after again against ago all almost along already also although always among and another any anybody
anyone anything are around because been before behind being below beneath beside besides best better between beyond both
but can cannot could dare did does doing done down during each either else enough even ever every everybody everyone
everything except far few first for from get gets getting give given gives gone got had has have having hence her here
hers him himself his how however into its itself just last least less let like likely little lot made make makes making
many may maybe might mine more most much must near need neither never next nobody none nor not nothing now off often
once one ones only onto other others our ours out over own per perhaps please quite rather really same shall she should
since some somebody someone something soon still such take taken takes taking than that the their them themselves then
there these they thing things this those though three through till too toward towards two under unless until upon use
used very was way well went were what whatever when where whether which while who whoever whole whom whose why will with
within without would yes yet you your yours yourself come comes came put set see seen say said know new old good day
time man men year years keep look right left back work thank thanks hello help want wants wanted
account book card flight lost visit
"""
_LEFT_OUT = frozenset(_GRAMMAR.split())


def main() -> int:
    """Write the extract; say how large it is."""
    if len(sys.argv) not in (2, 3):
        sys.stdout.write(f"{__doc__}\n")
        return 2
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as held:
        synsets = [json.loads(line) for line in held]
    found = extracted(synsets)
    lines = [*HEAD, *(f"{word};{','.join(others)}" for word, others in sorted(found.items()))]
    out = Path(sys.argv[2]) if len(sys.argv) == 3 else SYNONYMS
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(found):,} words, {out.stat().st_size:,} bytes\n")
    return 0


def extracted(synsets: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the synonyms of each word, the likeliest first."""
    counts: Counter[str] = Counter()
    senses: dict[str, list[int]] = defaultdict(list)
    members: dict[int, list[str]] = {}
    for i, synset in enumerate(synsets):
        texts = [*synset.get("definition", ()), *(e for e in synset.get("example", ()) if isinstance(e, str))]
        counts.update(_WORD.findall(" ".join(texts).lower()))
        for word in synset["members"]:
            senses[word.lower()].append(i)
        if not any(_BAD.search(text) for text in synset.get("definition", ())):
            members[i] = [w for w in synset["members"] if _WORD.fullmatch(w)]
    return {word: others for word in sorted(senses) if usable(word, counts, senses)
            and (others := _others(word, counts, senses, members))}  # fmt: skip


def usable(word: str, counts: Counter[str], senses: dict[str, list[int]]) -> bool:
    """Return whether a word is common, means few things, and is no word of grammar."""
    plain = _WORD.fullmatch(word) is not None and word not in _LEFT_OUT
    return plain and counts[word] >= COMMON and len(senses[word]) <= SENSES


def _others(word: str, counts: Counter[str], senses: dict[str, list[int]], members: dict[int, list[str]]) -> list[str]:
    """Return what else the likeliest senses of a word are called: a synset names first what it is mostly called by."""
    shared: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    for i in senses[word]:
        others = members.get(i, ())
        shared.update(w for w in others if w != word)
        weights.update({w: 1 / (1 + others.index(word)) for w in others if w != word} if word in others else {})
    found = []
    for other, weight in weights.items():
        share = shared[other] / len(senses[other])
        if share >= LEAST and counts[other] >= OFTEN and other not in _LEFT_OUT:
            found.append((share * weight * math.log(1 + counts[other]), other))
    best = max(found, default=(0.0, ""))[0]
    return [other for score, other in sorted(found, key=lambda f: (-f[0], f[1]))[:MOST] if score >= NEAR * best]


if __name__ == "__main__":
    sys.exit(main())
