"""What people are called, by locale: first names by sex, family names, titles. Faker's lists, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.kit.entities.dictionaries import Lexicon, Words
from synthwright.kit.entities.latin import latin
from synthwright.kit.entities.locales import language_of

_LISTS = {"en_AU": "en_US", "en_CA": "en_US", "en_ZA": "en_GB"}
"""Locales without lists of their own, and whose are taken."""
FAMILY_FIRST = {"hu": " ", "vi": " ", "ja": " ", "ko": "", "zh": ""}
"""Languages in which the family name comes first, and what stands between."""
_TWO_FAMILIES = frozenset({"es_ES", "es_MX", "es_CL", "es_CO"})
"""Locales in which people have two family names."""
_TITLES = {
    "ar": ("السيدة|الآنسة|الدكتورة", "السيد|الدكتور"), "bg": ("г-жа|г-ца|д-р", "г-н|д-р"),
    "cs": ("paní|Ing.|MUDr.", "pan|Ing.|MUDr."), "da": ("Fru|Dr.", "Hr.|Dr."),
    "de": ("Frau|Dr.", "Herr|Dr."), "el": ("Κα|Δρ.", "Κος|Δρ."), "en": ("Ms|Mrs|Miss|Dr", "Mr|Dr"),
    "es": ("Sra.|Srta.|Dra.", "Sr.|Dr."), "et": ("pr|dr", "hr|dr"),
    "fi": ("rouva|tri", "herra|tri"), "fr": ("Mme|Dr", "M.|Dr"), "he": ("גב׳|ד״ר", "מר|ד״ר"),
    "hi": ("श्रीमती|सुश्री|डॉ.", "श्री|डॉ."), "hr": ("gđa|dr.", "g.|dr."),
    "hu": ("asszony|Dr.", "úr|Dr."), "hy": ("տիկին", "պարոն"), "id": ("Ibu|Dr.", "Bapak|Dr."),
    "is": ("frú|dr.", "herra|dr."), "it": ("Sig.ra|Dott.ssa", "Sig.|Dott."), "ja": ("様", "様"),
    "ka": ("ქ-ნი", "ბ-ნი"), "ko": ("님", "님"), "lt": ("p.|dr.", "p.|dr."),
    "lv": ("k-dze|dr.", "k-gs|dr."), "nl": ("mevr.|dr.", "dhr.|dr."), "no": ("fru|dr.", "herr|dr."),
    "pl": ("pani|dr", "pan|dr"), "pt": ("Sra.|Dra.", "Sr.|Dr."), "ro": ("dna|dr.", "dl|dr."),
    "ru": ("г-жа|д-р", "г-н|д-р"), "sk": ("pani|Ing.|MUDr.", "pán|Ing.|MUDr."),
    "sl": ("ga.|dr.", "g.|dr."), "sv": ("fru|dr", "herr|dr"), "th": ("นาง|นางสาว|ดร.", "นาย|ดร."),
    "tr": ("Sn.|Dr.", "Sn.|Dr."), "uk": ("пані|д-р", "пан|д-р"), "vi": ("Bà|Cô", "Ông"),
    "zh": ("女士|小姐|博士", "先生|博士"),
}  # fmt: skip
"""Titles of women and of men, the usual ones first and one of learning last."""
_POLISH = {"ski": "ska", "cki": "cka", "dzki": "dzka", "ny": "na", "ty": "ta", "wy": "wa", "cy": "ca"}
_SAID = (
    "f female w woman women girl frau weiblich femme femenino mujer 2",
    "m male man men boy mann männlich homme masculino hombre 1",
)
"""What women and men are called in columns, in small letters (2 and 1 are of ISO/IEC 5218)."""


class Names(NamedTuple):
    """What people of a locale are called: women first, men second."""

    first: tuple[Words, Words]
    last: tuple[Words, Words]
    plain_first: tuple[list[str], list[str]]
    """The same in small English letters."""
    plain_last: tuple[list[str], list[str]]
    titles: tuple[Words, Words]
    family_first: bool
    between: str
    two: bool
    """Whether people have two family names."""


@cache
def names_of(locale: str) -> Names:
    """Return the names of a locale, the same ones every time."""
    lists = _lists(_LISTS.get(locale, locale))
    language = language_of(locale)
    first, last = _first_names(lists), _last_names(lists, locale)
    spare = [w.lower() for w in _held(lists, "first_romanized_names")]
    spare_last = [w.lower() for w in _held(lists, "last_romanized_names")]
    if language == "ja":  # the lists go together, name by name
        plain_first = ([*map(str.lower, lists.first_romanized_names_female)],
                       [*map(str.lower, lists.first_romanized_names_male)])  # fmt: skip
        plain_last = (list(spare_last), list(spare_last))
    else:
        plain_first = (_plain(first[0], language, spare), _plain(first[1], language, spare))
        plain_last = (_plain(last[0], language, spare_last), _plain(last[1], language, spare_last))
    women, men = _TITLES[language]
    titles = (_titles(women.split("|")), _titles(men.split("|")))
    return Names(first, last, plain_first, plain_last, titles, language in FAMILY_FIRST,
                 FAMILY_FIRST.get(language, " "), locale in _TWO_FAMILIES)  # fmt: skip


def _lists(locale: str) -> Any:
    """Return Faker's lists of the names of one locale, and nothing else of it."""
    from faker.factory import Factory

    return Factory.create(locale, ["faker.providers.person"]).providers[0]


def _held(lists: Any, name: str) -> Words:
    """Return one of the lists, empty where there is none."""
    found: Words = getattr(lists, name, None) or []
    return found


def _first_names(lists: Any) -> tuple[Words, Words]:
    women, men = _held(lists, "first_names_female"), _held(lists, "first_names_male")
    if not women:  # Lithuanian: one list, and names of men end in s
        every = lists.first_names
        women, men = ([w for w in every if w.endswith("s") is man] for man in (False, True))
    both = _held(lists, "first_names_unisex")
    return _once(women, both), _once(men, both)


def _last_names(lists: Any, locale: str) -> tuple[Words, Words]:
    if locale == "pl_PL":
        either, males = list(lists.unisex_last_names), list(lists.male_last_names)
        return _once([*either, *map(_feminine, males)]), _once([*either, *males])
    if locale == "is_IS":
        fathers = lists.last_names_without_suffix
        return _once([f + "dóttir" for f in fathers]), _once([f + "son" for f in fathers])
    if locale == "lt_LT":
        return _once([_married(w) for w in lists.last_names]), _once(lists.last_names)
    women, men = _held(lists, "last_names_female"), _held(lists, "last_names_male")
    if women and men:
        return _once(women), _once(men)
    every = _once(lists.last_names)
    return every, every


def _feminine(name: str) -> str:
    """Return the form of a Polish family name that women have."""
    end = next((e for e in _POLISH if name.endswith(e)), "")
    return name.removesuffix(end) + _POLISH.get(end, "")


def _married(name: str) -> str:
    """Return the form of a Lithuanian family name that married women have."""
    for end in ("auskas", "as", "is", "us", "ys"):
        if name.endswith(end):
            return name.removesuffix(end) + ("auskienė" if end == "auskas" else "ienė")
    return name


def _once(*lists: Words) -> Words:
    """Return every word once, with its weight where they have weights."""
    if any(isinstance(w, Mapping) for w in lists):
        merged: dict[str, float] = {}
        for words in lists:
            pairs = words.items() if isinstance(words, Mapping) else ((w, 1.0) for w in words)
            for word, weight in pairs:
                merged[str(word).strip()] = merged.get(str(word).strip(), 0.0) + float(weight)
        return {w: weight for w, weight in merged.items() if w and weight > 0}
    return [w for w in dict.fromkeys(str(w).strip() for words in lists for w in words) if w]


def _plain(words: Words, language: str, spare: Sequence[str]) -> list[str]:
    """Return the words in small English letters; those that cannot be written so get another name of the language."""
    others = spare or ["user"]
    return [latin(w, language) or latin(others[i % len(others)]) for i, w in enumerate(words)]


def _titles(words: list[str]) -> dict[str, float]:
    """Return titles with weights: the last one of several is rare."""
    weights = [1.0] * (len(words) - 1) + [0.08 if len(words) > 1 else 1.0]
    return dict(zip(words, weights, strict=True))


class Called(NamedTuple):
    """The names of several locales, as lexicons whose groups are women and men of each locale in turn."""

    first: Lexicon
    last: Lexicon
    titles: Lexicon
    plain_first: pa.Array
    """By the code of a first name: the name in small English letters, then all their initials."""
    plain_last: pa.Array
    """By the code of a last name: the name after each of `SEPARATORS` in turn."""
    family_first: np.ndarray
    """Of each locale."""
    between: tuple[str, ...]
    two: np.ndarray


SEPARATORS = (".", "_", "")
"""What may stand between the names in an address on the net."""


@cache
def called(locales: tuple[str, ...]) -> Called:
    """Return the names of some locales."""
    every = [names_of(locale) for locale in locales]
    first = [w for n in every for w in n.plain_first[0] + n.plain_first[1]]
    last = [w for n in every for w in n.plain_last[0] + n.plain_last[1]]
    return Called(
        Lexicon.of(*_each(n.first for n in every)),
        Lexicon.of(*_each(n.last for n in every)),
        Lexicon.of(*_each(n.titles for n in every)),
        pa.array([*first, *(w[:1] for w in first)], pa.large_string()),
        pa.array([s + w for s in SEPARATORS for w in last], pa.large_string()),
        np.array([n.family_first for n in every]),
        tuple(n.between for n in every),
        np.array([n.two for n in every]),
    )


def _each(pairs: Iterator[tuple[Words, Words]]) -> list[Words]:
    return [words for pair in pairs for words in pair]


def sexes_said(column: pa.ChunkedArray, labels: Sequence[str], drawn: np.ndarray) -> np.ndarray:
    """Return the sex of each row: 0 women, 1 men, 2 what is neither; rows without a value have the one drawn."""
    coded = column.combine_chunks().dictionary_encode()
    words = [str(v) for v in coded.dictionary.to_pylist()]
    known = {w: i for i, said in enumerate(_SAID) for w in said.split()}
    exact = {label: i for i, label in enumerate(labels)}
    said = np.array([exact.get(w, known.get(w.strip().casefold(), 2)) for w in words] or [2], dtype=np.int8)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    found: np.ndarray = np.where(codes < 0, drawn, said[codes])
    return found
