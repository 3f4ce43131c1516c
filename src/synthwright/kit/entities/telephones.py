"""Telephone numbers by country, drawn in bulk, that belong to nobody.

Where a country keeps ranges for films and books (the United States and Canada 555-0100 to 555-0199, the United Kingdom
by Ofcom, France by Arcep, Germany by the Bundesnetzagentur, Australia by ACMA, Ireland by ComReg, Sweden by PTS), these
are taken. Of other countries, numbers have the right length and begin as no number of the country does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.fakes_phones import FILMS

Form = Literal["international", "national", "e164"]
_AMERICAN = (
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 "
    "253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 "
    "321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 "
    "419 423 424 425 430 432 434 435 440 443 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 "
    "517 518 520 530 540 541 551 559 561 562 563 567 570 571 573 574 580 585 586 601 602 603 605 606 607 608 609 610 "
    "612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651 660 661 662 678 682 701 702 703 704 706 707 "
    "708 712 713 714 715 716 717 718 719 720 724 727 731 732 734 740 754 757 760 763 765 770 772 773 774 775 781 785 "
    "786 801 802 803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 843 845 847 848 850 856 857 858 "
    "859 860 862 863 864 865 870 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 920 925 928 931 936 "
    "937 940 941 947 949 951 952 954 956 970 971 972 973 978 979 980 985 989"
)
_CANADIAN = "204 250 306 403 416 418 450 506 514 519 604 613 647 705 709 778 780 807 819 867 902 905"
_SWEDISH = (("31", "39006"), ("40", "62804"), ("8", "465004"), ("980", "3192"))
_COUNTRIES = (
    "AM 374 8 20|AR 54 10 20|AT 43 10 20|BE 32 9 20|BG 359 9 20|BR 55 11 20|CH 41 9 20|CL 56 9 20|CN 86 11 20"
    "|CO 57 10 20|CZ 420 9 30|DK 45 8 37|EE 372 8 20|ES 34 9 20|FI 358 9 49|GE 995 9 20|GR 30 10 20|HR 385 9 24"
    "|HU 36 9 22|ID 62 10 20|IL 972 9 20|IN 91 10 39|IS 354 7 20|IT 39 10 20|JP 81 10 21|KE 254 9 21|KR 82 10 20"
    "|LT 370 8 20|LV 371 8 30|MX 52 10 21|NL 31 9 21|NO 47 8 20|NZ 64 9 23|PL 48 9 20|PT 351 9 20|RO 40 9 20|RU 7 10 20"
    "|SA 966 9 20|SI 386 8 20|SK 421 9 20|TH 66 9 20|TR 90 10 20|TW 886 9 21|UA 380 9 20|VN 84 9 20|ZA 27 9 20"
)
"""Countries that keep no range: the country's code, digits of a number, and two that no number begins with."""
_FILMED = {"GB": ("44", 10), "FR": ("33", 9), "DE": ("49", 10), "AU": ("61", 9), "IE": ("353", 9)}
_TRUNKS = {"HU": "06 ", "RU": "8 "}
"""What is dialled before a number within the country, where it is not 0."""
_NO_TRUNKS = "CL CO CZ DK EE ES GR IS IT LV MX NO PL PT"
_TAIL = 4


class Numbering(NamedTuple):
    """How numbers of a country begin."""

    code: str
    begins: tuple[tuple[str, str], ...]
    """Areas, and what numbers begin with there; the area is empty where it is not known."""
    size: int
    """Digits of a number, the area among them."""
    trunk: str


@cache
def numbering(country: str) -> Numbering:
    """Return how the numbers of a country begin that belong to nobody."""
    if country in ("US", "CA"):
        areas = (_AMERICAN if country == "US" else _CANADIAN).split()
        return Numbering("1", tuple((a, "55501") for a in areas), 10, "")
    if country in _FILMED:
        code, size = _FILMED[country]
        return Numbering(code, FILMS[code, size], size, "0")
    if country == "SE":
        return Numbering("46", _SWEDISH, 9, "0")
    found = {c: rest for c, *rest in (said.split() for said in _COUNTRIES.split("|"))}
    code, digits, begin = found[country]
    return Numbering(code, (("", begin),), int(digits), "" if country in _NO_TRUNKS else _TRUNKS.get(country, "0"))


class Telephones(NamedTuple):
    """The numbers of some countries: heads by country, and the last digits by how many there are."""

    heads: Lexicon
    kinds: np.ndarray
    """How many digits follow each head, less one."""
    tails: Lexicon

    def draw(self, rng: np.random.Generator, rows: int, codes: np.ndarray | None) -> pa.Array:
        """Return a number for every row, given the place of its country among those it was made for."""
        heads = self.heads.draw(rng, rows, codes)
        kinds = self.kinds[heads] if self.kinds.min() != self.kinds.max() else self.kinds[0] + np.zeros(rows, np.int8)
        return joined(self.heads.take(heads), self.tails.take(self.tails.draw(rng, rows, kinds)))


@cache
def telephones(countries: Sequence[str], form: Form) -> Telephones:
    """Return the numbers of some countries in one form."""
    groups: list[list[str]] = []
    kinds: list[int] = []
    for country in countries:
        heads, follow = _heads(numbering(country), form)
        groups.append(heads)
        kinds += follow
    tails = [[f"{v:0{k}d}" for v in range(10**k)] for k in range(1, _TAIL + 1)]
    return Telephones(Lexicon.of(*groups), np.array(kinds, dtype=np.int8), Lexicon.of(*tails))


def _heads(plan: Numbering, form: Form) -> tuple[list[str], list[int]]:
    """Return the beginnings of a country's numbers, and how many digits follow each, less one."""
    heads, kinds = [], []
    for area, begin in plan.begins:
        free = plan.size - len(area) - len(begin)
        tail = min(free, _TAIL if not area else 2 if plan.code == "1" else 3)
        many = range(10 ** min(free - tail, 3))
        for value in many:  # digits between the beginning and the tail: as many as there are, up to a thousand of them
            middle = f"{value:03d}"[-(free - tail) :] if free > tail else ""
            middle += "0" * (free - tail - len(middle))
            heads.append(_written(plan, area, begin + middle, form))
            kinds.append(tail - 1)
    return heads, kinds


def _written(plan: Numbering, area: str, local: str, form: Form) -> str:
    """Return the beginning of a number as it is written."""
    if form == "e164":
        return f"+{plan.code}{area}{local}"
    if plan.code == "1":
        apart = f"{local[:3]}-{local[3:]}"
        return f"({area}) {apart}" if form == "national" else f"+1 {area}-{apart}"
    missing = plan.size - len(area) - len(local)  # what is still to come
    cut = len(local) - (_TAIL - missing)
    apart = f"{local[:cut]} {local[cut:]}" if cut > 0 else local
    area = f"{area} " if area else ""
    return f"+{plan.code} {area}{apart}" if form == "international" else f"{plan.trunk}{area}{apart}"
