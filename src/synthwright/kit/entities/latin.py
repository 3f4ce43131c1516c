"""Words of many scripts in small letters of the English alphabet, for addresses on the net.

Latin letters lose their marks, as the language does it (German ü is ue, Danish ø is oe); Cyrillic and Greek are
written as in passports; of other scripts each letter is written as the first sounds of its Unicode name, syllables as
their names, which is near to how such names are written, and always the same. Han characters have no such name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_MARKS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
                        "ħ": "h", "ŋ": "n", "ə": "a"})  # fmt: skip
_LANGUAGES = {
    "de": str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"}),
    "da": str.maketrans({"ø": "oe", "å": "aa"}),
    "no": str.maketrans({"ø": "oe", "å": "aa"}),
    "uk": str.maketrans({"г": "h", "и": "y", "х": "kh", "щ": "shch", "ґ": "g"}),
    "bg": str.maketrans({"щ": "sht", "ъ": "a", "ж": "zh", "х": "h", "й": "y"}),
}
"""What a language writes its own letters as."""
_LETTERS = str.maketrans(
    dict(zip("абвгдезийклмнопрстуфыэіїєґјљњќѓѕћђџўё",
             ("a", "b", "v", "g", "d", "e", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "y",
              "e", "i", "i", "ie", "g", "j", "lj", "nj", "kj", "gj", "dz", "c", "dj", "dz", "u", "e"), strict=True))
    | {"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya",
       "’": "", "ʼ": ""}
    | dict(zip("αβγδεζηικλμνξοπρσςτυφχω",
               ("a", "v", "g", "d", "e", "z", "i", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t", "y", "f",
                "ch", "o"), strict=True))
    | {"θ": "th", "ψ": "ps"}
)  # fmt: skip
_NAME = re.compile(r"(?:LETTER|SYLLABLE|CHARACTER)(?: SMALL| FINAL| TAILLESS| FARSI)* (\w+)")
_VOWEL_SIGN = re.compile(r"VOWEL SIGN (?:SHORT |CANDRA )?([A-Z]+)|CHARACTER SARA ([A-Z]+)")
_INDIC = re.compile("DEVANAGARI|BENGALI|GUJARATI|GURMUKHI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA")
_SYLLABLES = re.compile("HANGUL|HIRAGANA|KATAKANA")
_SILENT = re.compile(r"VIRAMA|PULLI|NUKTA|MAITAIKHU|MAI |THANTHAKHAT|VISARGA|AL-LAKUNA")


def latin(word: str, language: str = "en") -> str:
    """Return a word in small English letters; what cannot be written so is left out."""
    low = unicodedata.normalize("NFC", word).lower().translate(_LANGUAGES.get(language, {})).translate(_MARKS)
    low = low.replace("ου", "ou").replace("ού", "ou")
    if low.isascii():
        return re.sub("[^a-z]", "", low)
    bare = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", low) if not _mark(c)))
    if language != "bg" and not bare.isascii():
        bare = bare.translate(_LETTERS)
    elif not bare.isascii():
        bare = low.translate(_LETTERS)
    if not bare.isascii():
        bare = _spelled(bare)
    return re.sub("[^a-z]", "", bare)


def latins(words: Iterable[str], language: str = "en") -> list[str]:
    """Return the words in small English letters."""
    return [latin(w, language) for w in words]


def _mark(char: str) -> bool:
    """Return whether a character only marks the one before it, in scripts whose letters stand without."""
    return unicodedata.category(char) == "Mn" and unicodedata.name(char, "").startswith("COMBINING")


def _spelled(word: str) -> str:
    """Return a word letter by letter, by the names that Unicode gives the letters."""
    out: list[str] = []
    for char in word:
        if char.isascii():
            out.append(char)
            continue
        name = unicodedata.name(char, "")
        vowel = _VOWEL_SIGN.search(name)
        indic = _INDIC.match(name) is not None
        if (_SILENT.search(name) or (vowel and indic)) and out and out[-1].endswith("a") and len(out[-1]) > 1:
            out[-1] = out[-1][:-1]  # the vowel that a consonant carries by itself
        if vowel:
            out.append((vowel[1] or vowel[2] or "").lower())
        elif found := _NAME.search(name):
            out.append(found[1].lower() if indic or _SYLLABLES.match(name) else _sound(found[1].lower()))
        elif "ANUSVARA" in name or "CANDRABINDU" in name:
            out.append("n")
    return re.sub(r"([aiu])\1", r"\1", "".join(out)).replace("ssa", "sha")


def _sound(name: str) -> str:
    """Return what a letter sounds like, from its name: the consonants that it begins with, else its first vowel."""
    found = re.match(r"[^aeiou]+", name)
    return found[0] if found else name[:1]
