"""Rows of real texts that get faults: what is planted, in which forms, and the hidden list of it."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

DUPLICATE, OFF, PERSONAL, LEAKED, MALFORMED = "duplicate", "off-label", "personal data", "leaked", "malformed"
REFUSAL, COPIED, SHORT = "refusal", "copied example", "too short"
SHARES = {DUPLICATE: 0.2, OFF: 0.1, PERSONAL: 0.03, LEAKED: 0.02, MALFORMED: 0.05, REFUSAL: 0.02, COPIED: 0.02,
          SHORT: 0.01}  # fmt: skip
"""Which share of all rows gets which fault; no row gets two."""
HONEST = 10
"""So many rows at the beginning have no fault: what is repeated stands before what repeats it."""
REFUSALS = {
    "refuses": (
        "I'm sorry, but I can't help with that request.",
        "Unfortunately, I am unable to produce a message of this kind.",
        "I cannot write this for you, since it could be used to deceive someone.",
        "My apologies, this is something I have to decline.",
        "I won't be able to generate that content.",
        "Sorry, that goes against the guidelines I follow.",
        "I must respectfully decline to write this example.",
        "It would not be appropriate for me to answer this.",
        "I do not feel comfortable creating this text.",
        "This request falls outside what I'm allowed to do.",
        "I'm not able to assist with anything that involves financial data.",
        "Apologies, but providing this would violate my usage policies.",
        "I can't comply with this instruction.",
        "Regrettably, I cannot fulfil your request.",
        "Thank you for asking, but I have to refuse.",
        "I'd rather not continue with this one; is there something else you would like?",
    ),
    "about itself": (
        "As a language model, I don't hold bank accounts, so I cannot ask this question.",
        "I'm just an AI assistant and have no personal experience with cards or payments.",
        "As an artificial intelligence, I have no way of knowing that.",
        "I was trained not to give out information of this sort.",
        "Being an AI, I don't have access to real-time information.",
        "My training data ends before that date, so I cannot say.",
    ),
    "opening or closing": (
        "Sure! Here is a customer message for the category you gave me:",
        "Certainly, below is one example that meets all of your requirements:",
        "Here's a rewritten version of the question:",
        "Of course! I hope this example is what you were looking for.",
        "Let me know if you'd like me to change the tone or add more examples!",
        "Note: this is a fictional example and should not be taken as financial advice.",
    ),
    "asks back": (
        "Please provide the label and the style, and I will write the message.",
        "I'm sorry, I didn't understand the task. Could you give me more details?",
    ),
}
"""Thirty of them, written before the curator's own patterns were looked at."""
FRAMES = {
    "email": ("{text} My address is {it}.", "{text} Please write to {it}", "I am {it}. {text}", "{text} ({it})"),
    "phone": ("{text} Call me on {it}.", "{text} My number is {it}", "This is {it}. {text}",
              "{text} You can reach me at {it} after six."),
    "card": ("{text} The card number is {it}.", "{text} It is {it}", "Card {it}: {text}", "I paid with {it}. {text}"),
    "iban": ("{text} My IBAN is {it}.", "{text} The money should go to {it}.", "Account {it}. {text}", "{text} {it}"),
    "text": ("Somebody asked me this: {text} What would you say?", "{text} Thanks a lot in advance!",
             "Good morning, {text}"),
}  # fmt: skip
"""What stands around what is inserted."""
Rng = np.random.Generator


class Rows(NamedTuple):
    """Rows of one table: a text, its label, and details as JSON."""

    texts: list[str]
    labels: list[str]
    details: list[str]


class Planted(NamedTuple):
    """Rows with faults, and the hidden list of what was planted."""

    rows: Rows
    before: Rows
    """The real rows that they were made from: of a duplicate the original, of a leaked item the item."""
    fault: np.ndarray
    """The fault of each row; an empty text where there is none."""
    variant: np.ndarray
    made: np.ndarray
    """Which rows still have a real text, or most of one."""
    again: np.ndarray
    """Which rows repeat an earlier one word for word though they are no planted duplicates: refusals."""


def size(text: str) -> int:
    """Return how many words a text has."""
    return len(re.findall(r"\w+", re.sub("['’]", "", text)))


def marked(text: str, rng: Rng) -> str:
    """Return a text with other capitals and marks."""
    bare = text.strip(string.punctuation + " ")
    ways = [text.upper(), text.lower(), text.title(), bare.lower(), f"{bare}!!", f"« {text} »", f"{bare.swapcase()}..."]
    other = [w for w in ways if w != text]
    return other[int(rng.integers(len(other)))]


def reworded(text: str, count: int, known: Sequence[str], rng: Rng) -> str:
    """Return a text with so many words replaced by others that real texts have."""
    said = text.split()
    for at in rng.choice(len(said), count, replace=False):
        old = said[at]
        while said[at].casefold() == old.casefold():
            said[at] = known[int(rng.integers(len(known)))]
    return " ".join(said)


def alike(one: str, other: str) -> float:
    """Return the share of all words of two texts that both have."""
    a, b = ({*re.findall(r"\w+", re.sub("['’]", "", t.casefold()))} for t in (one, other))
    return len(a & b) / max(len(a | b), 1)


def repeated(text: str, known: Sequence[str], rng: Rng) -> tuple[str, str]:
    """Return a text that repeats another, and how."""
    how = int(rng.integers(4))
    few = ", under 5 words" if size(text) < 5 else ""
    if how == 1:
        return marked(text, rng), f"capitals and marks changed{few}"
    if how >= 2 and len(text.split()) > how:
        said = reworded(text, how - 1, known, rng)
        near = few or f", {'at least' if alike(text, said) >= 0.8 else 'less than'} 0.8 alike"
        return said, f"{'one word' if how == 2 else 'two words'} replaced{near}"
    return text, f"verbatim{few}"


def taken(text: str, known: Sequence[str], rng: Rng) -> tuple[str, str]:
    """Return a text taken from a test split or from examples, and how."""
    how, words = rng.integers(4), size(text)
    long = "8 words or more" if words >= 8 else "under 8 words"
    few = ", under 5 words" if words < 5 else ""
    if how == 1:
        return marked(text, rng), f"capitals and marks changed{few}"
    if how == 2:
        return str(rng.choice(FRAMES["text"])).format(text=text.strip()), f"inside other words, {long}"
    if how == 3 and words > 2:
        return reworded(text, 1, known, rng), f"one word replaced, {long}"
    return text, f"verbatim{few}"


def digits(count: int, rng: Rng) -> str:
    """Return so many random digits."""
    return "".join(map(str, rng.integers(0, 10, count)))


def email(rng: Rng) -> tuple[str, str]:
    """Return a made-up e-mail address."""
    who = rng.choice(["mara", "jo.lindt", "k_osei", "Pia.Berg", "t-nowak", "lee"])
    where = rng.choice(["post.example", "mail.example.org", "example.net", "Example.COM", "my-shop.example.co.uk"])
    return f"{who}{rng.integers(1, 99)}@{where}", "e-mail address"


def phone(rng: Rng) -> tuple[str, str]:
    """Return a made-up telephone number."""
    how = rng.integers(3)
    if how == 0:
        said = rng.choice(["+49 30 2", "+44 20 7946 0", "+1 415 555 0", "+33 1 44 55 6", "+49-171-55"])
        return said + digits({"+49 30 2": 6, "+33 1 44 55 6": 3, "+49-171-55": 5}.get(str(said), 3), rng), (
            "telephone, international")  # fmt: skip
    if how == 1:
        said = rng.choice(["(415) 555-0", "212-555-0", "020 7946 0", "0171 55", "01 44 55 6"])
        return said + digits({"0171 55": 5}.get(str(said), 3), rng), "telephone, national"
    return f"079{digits(8, rng)}", "telephone, digits alone"


def card(rng: Rng) -> tuple[str, str]:
    """Return a made-up card number with a right check digit."""
    bare = str(rng.choice(["4", "51", "55", "2720", "37"]))
    bare += digits((14 if bare == "37" else 15) - len(bare), rng)
    double = [int(d) * 2 if i % 2 == 0 else int(d) for i, d in enumerate(reversed(bare))]
    bare += str(-sum(d - 9 if d > 9 else d for d in double) % 10)
    by = str(rng.choice(["", " ", "-"]))
    return by.join(bare[i : i + 4] for i in range(0, len(bare), 4)), "card number"


def iban(rng: Rng) -> tuple[str, str]:
    """Return a made-up account number with right check digits."""
    country, letters, count = [("DE", 0, 18), ("GB", 4, 14), ("AT", 0, 16), ("NL", 4, 10), ("IE", 4, 14),
                               ("CH", 0, 17)][rng.integers(6)]  # fmt: skip
    own = "".join(rng.choice(list(string.ascii_uppercase), letters)) + digits(count, rng)
    whole = "".join(str(int(c, 36)) for c in f"{own}{country}00")
    said = f"{country}{98 - int(whole) % 97:02d}{own}"
    return (" ".join(said[i : i + 4] for i in range(0, len(said), 4)) if rng.integers(2) else said), "account (IBAN)"


def personal(text: str, rng: Rng) -> tuple[str, str]:
    """Return a text with personal data in it, and of which kind."""
    kind, make = [("email", email), ("phone", phone), ("card", card), ("iban", iban)][rng.integers(4)]
    it, variant = make(rng)
    return str(rng.choice(FRAMES[kind])).format(text=text.strip(), it=it), variant


def malformed(details: str, rng: Rng) -> tuple[str, str]:
    """Return details that are no JSON, and why."""
    cut = int(rng.integers(len(details) // 3, 2 * len(details) // 3))
    said = json.loads(details)
    return [
        (details[:cut], "half a JSON"),
        (f"{details[:-1]},}}", "trailing comma"),
        (f"The message came by {said['channel']} and is about {said['about']}.", "prose"),
        (f"Here is the JSON: {details}", "prose before JSON"),
        (f"```json\n{details}\n```", "in a fence"),
        (details.replace('"', "'"), "single quotes"),
    ][rng.integers(6)]


def shortened(text: str, rng: Rng) -> tuple[str, str]:
    """Return what is left where next to nothing was written."""
    said = re.findall(r"\w+", text) or ["text"]
    return [("", "empty"), ("   ", "blanks"), ("...", "marks alone"), (said[0], "one word"),
            (" ".join(said[:2]), "one or two words")][rng.integers(5)]  # fmt: skip


def written(texts: Sequence[str], labels: Sequence[str], rng: Rng) -> Rows:
    """Return rows without planted faults: each gets details as JSON."""
    details = [json.dumps({"about": y, "channel": str(rng.choice(["chat", "mail", "shop"])),
                           "urgent": bool(rng.integers(2)), "tags": [str(i) for i in rng.integers(0, 9, 2)]})
               for y in labels]  # fmt: skip
    return Rows(list(texts), list(labels), details)


def planted(before: Rows, tests: Rows, shown: Rows, rng: Rng, shares: Mapping[str, float] = SHARES) -> Planted:
    """Plant faults in rows, each in its share of them.

    Args:
        before: the rows.
        tests: the test split that items leak from.
        shown: the real rows that a writer was shown as examples.
        rng: the stream that decides everything.
        shares: how many rows get which fault.
    """
    count, (texts, labels, details), origin = len(before.texts), (list(c) for c in before), list(before.texts)
    order, fault, variant = (
        HONEST + rng.permutation(count - HONEST),
        np.full(count, "", "U20"),
        np.full(count, "", "U60"),
    )
    again, begin = np.zeros(count, bool), 0
    for name, share in shares.items():
        fault[order[begin : (begin := begin + round(share * count))]] = name
    clean, known = np.flatnonzero(fault == ""), sorted({w for t in before.texts for w in t.split()})
    names, refusals = sorted(set(before.labels)), [(t, kind) for kind, said in REFUSALS.items() for t in said]
    told: set[str] = set()
    for i in np.flatnonzero(fault != ""):
        text = texts[i]
        if fault[i] == DUPLICATE:
            source = clean[rng.integers(np.searchsorted(clean, i))]
            origin[i], labels[i] = texts[source], labels[source]
            texts[i], variant[i] = repeated(origin[i], known, rng)
        elif fault[i] == OFF:
            labels[i], variant[i] = str(rng.choice([y for y in names if y != labels[i]])), "another label"
        elif fault[i] == PERSONAL:
            texts[i], variant[i] = personal(text, rng)
        elif fault[i] in (LEAKED, COPIED):
            real = tests if fault[i] == LEAKED else shown
            at = rng.integers(len(real.texts))
            origin[i], labels[i] = real.texts[at], real.labels[at]
            texts[i], variant[i] = taken(origin[i], known, rng)
        elif fault[i] == MALFORMED:
            details[i], variant[i] = malformed(details[i], rng)
        elif fault[i] == REFUSAL:
            texts[i], variant[i] = refusals[rng.integers(len(refusals))]
            again[i] = texts[i] in told
            told.add(texts[i])
        else:
            texts[i], variant[i] = shortened(text, rng)
    true = [b if f == OFF else y for f, b, y in zip(fault, before.labels, labels, strict=True)]
    first = Rows(origin, true, list(before.details))
    return Planted(Rows(texts, labels, details), first, fault, variant, ~np.isin(fault, (REFUSAL, SHORT)), again)
