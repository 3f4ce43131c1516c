"""Names of months and weekdays in the languages that tables come in, and how they are written.

A style is the two letters of a language, its first letter large where names begin with a capital that they have not by
themselves (`Fr`), with a point where short names have one (`de.`): `3. März`, `12 Févr`, `lun. 12 août`. Sources: the
Unicode Common Locale Data Repository, and the C locales.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

ENGLISH = {
    "B": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"),
    "A": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}  # fmt: skip
_NAMES = {
    "de": {
        "B": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "b": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "b.": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "A": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "a": "Mo Di Mi Do Fr Sa So",
    },
    "fr": {
        "B": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "b": "janv févr mars avr mai juin juil août sept oct nov déc",
        "b.": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "A": "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "a": "lun mar mer jeu ven sam dim",
    },
    "es": {
        "B": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "b": "ene feb mar abr may jun jul ago sep oct nov dic",
        "b.": "ene. feb. mar. abr. may. jun. jul. ago. sept. oct. nov. dic.",
        "A": "lunes martes miércoles jueves viernes sábado domingo",
        "a": "lun mar mié jue vie sáb dom",
    },
    "it": {
        "B": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "b": "gen feb mar apr mag giu lug ago set ott nov dic",
        "A": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "a": "lun mar mer gio ven sab dom",
    },
    "nl": {
        "B": "januari februari maart april mei juni juli augustus september oktober november december",
        "b": "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "b.": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
        "A": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "a": "ma di wo do vr za zo",
    },
    "pt": {
        "B": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "b": "jan fev mar abr mai jun jul ago set out nov dez",
        "A": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "a": "seg ter qua qui sex sáb dom",
    },
}
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)?\.?")
_TOKEN = re.compile(r"%(\^?[aAbB])")
_MOST = 4
"""Words of one moment, at most."""


@cache
def names(letter: str, style: str = "") -> tuple[str, ...]:
    """Return the months (`B`, short `b`) or weekdays (`A`, `a`) of a style, in their order; nothing: in English.

    Raises:
        ValueError: no style of names.
    """
    if not style:
        return tuple(n if letter.isupper() else n[:3] for n in ENGLISH[letter.upper()])
    held, dotted = _NAMES.get(style[:2].lower()), style.endswith(".")
    if held is None or style[1:] != style[1:].lower():
        raise ValueError(f"{style!r} is no language whose months are known: {', '.join(_NAMES)}")
    words = held[letter].split()
    if dotted and letter.islower():
        words = held.get(f"{letter}.", ". ".join(words) + ".").split()
    return tuple(w[0].upper() + w[1:] for w in words) if style[0].isupper() else tuple(words)


def translated(said: str) -> Iterator[tuple[str, str]]:
    """Yield a spelled moment with its names in English, and their style, for each that it may be."""
    found = list(_WORD.finditer(said))
    if len(found) > _MOST:
        return
    for style in _styles():
        for upper in (False, True):
            yield from ((text, style) for text in _in_english(said, style, upper=upper))


def styled(form: str, style: str) -> str | None:
    """Return a form with its names in a style; None for one without names."""
    found, many = _TOKEN.subn(rf"%\1{{{style}}}", form)
    return found if many else None


@cache
def _styles() -> tuple[str, ...]:
    every = (code + point for code, point in product(_NAMES, ("", ".")))
    return tuple(s for style in every for s in ([style] if style[:2] == "de" else [style, style.capitalize()]))


@cache
def _meanings(style: str) -> dict[str, tuple[str, ...]]:
    """Return for each name of a style what it may say in English."""
    out: dict[str, tuple[str, ...]] = {}
    for letter in "BbAa":
        for word, english in zip(names(letter, style), names(letter), strict=True):
            out[word] = (*out.get(word, ()), english)
    return out


def _in_english(said: str, style: str, *, upper: bool) -> Iterator[str]:
    """Yield what a moment says in English by the names of a style; nothing where it has none of them."""
    known = {w.upper(): tuple(e.upper() for e in m) for w, m in _meanings(style).items()} if upper else _meanings(style)
    pieces: list[tuple[str, ...]] = []
    at, met = 0, False
    for found in _WORD.finditer(said):
        word = found[0] if found[0] in known else found[0].removesuffix(".")
        meant = known.get(word)
        met |= meant is not None
        pieces += [(said[at : found.start()],), meant or (word,)]
        at = found.start() + len(word)
    if met:
        yield from ("".join(each) for each in product(*pieces, (said[at:],)))
