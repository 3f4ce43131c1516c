"""Numbers with check digits: payment cards, bank accounts, and the numbers by which states know people."""

from __future__ import annotations

import re
from functools import cache
from types import ModuleType

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_CARD = re.compile(r"(?:[3-6]|2[2-7])[0-9]{11,18}")
_SHAPE = re.compile(r"(?=(?:.*[0-9]){6})[A-Z0-9][A-Z0-9 .+/-]{6,20}[A-Z0-9]")
_NEARLY = 0.95
_LEAST = 25
"""Distinct numbers that must agree before check digits alone say what a column is: one in ten is right by chance."""
_TRIED = 5


def card_share(words: list[str]) -> float:
    """Return the share of values that have length, start and check digit of a payment card."""
    from stdnum import luhn

    bare = [re.sub(r"[ -]", "", w.strip()) for w in words]
    if not any(_CARD.fullmatch(b) for b in bare[:_TRIED]):
        return 0.0
    return sum(bool(_CARD.fullmatch(b)) and luhn.is_valid(b) for b in bare) / len(bare)


def iban_share(words: list[str]) -> float:
    """Return the share of values that are international bank account numbers with valid check digits."""
    from stdnum import iban

    bare = [re.sub(r"[ -]", "", w.strip()).upper() for w in words]
    if not bare or not all(_IBAN.fullmatch(b) for b in bare[:_TRIED]):
        return 0.0
    return sum(bool(_IBAN.fullmatch(b)) and iban.is_valid(b) for b in bare) / len(bare)


def national_system(words: list[str]) -> str | None:
    """Return the name of the system of personal numbers that nearly all values belong to, by their check digits."""
    if len(words) < _LEAST or not all(_SHAPE.fullmatch(w.strip().upper()) for w in words[:_TRIED]):
        return None
    if sum(
        re.fullmatch(r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", w) is not None for w in words
    ) >= _NEARLY * len(words):
        return "US social security numbers"
    for name, module in systems().items():
        if sum(module.is_valid(w) for w in words[:_TRIED]) < _TRIED - 1:
            continue
        if sum(module.is_valid(w) for w in words) >= _NEARLY * len(words):
            return name
    return None


@cache
def systems() -> dict[str, ModuleType]:
    """Return systems of personal numbers whose check digits rule out nine numbers of ten."""
    from stdnum.au import tfn
    from stdnum.be import nn
    from stdnum.bg import egn
    from stdnum.br import cpf
    from stdnum.ca import sin
    from stdnum.ch import ssn as swiss
    from stdnum.cl import rut
    from stdnum.cn import ric
    from stdnum.de import idnr as german
    from stdnum.ee import ik
    from stdnum.es import dni, nie
    from stdnum.fi import hetu
    from stdnum.fr import nir
    from stdnum.gb import nhs
    from stdnum.gr import amka
    from stdnum.hr import oib
    from stdnum.ie import pps
    from stdnum.il import idnr as israeli
    from stdnum.in_ import aadhaar
    from stdnum.it import codicefiscale
    from stdnum.kr import rrn
    from stdnum.mx import curp
    from stdnum.nl import bsn
    from stdnum.no import fodselsnummer
    from stdnum.pl import pesel
    from stdnum.ro import cnp
    from stdnum.se import personnummer
    from stdnum.tr import tckimlik
    from stdnum.za import idnr as african

    return {
        "Italian tax codes": codicefiscale, "Mexican registry codes": curp, "French social security numbers": nir,
        "Chinese identity cards": ric, "German tax numbers": german, "Polish personal numbers": pesel,
        "Spanish identity cards": dni, "Spanish foreigners' numbers": nie, "Belgian national numbers": nn,
        "Swedish personal numbers": personnummer, "Finnish personal codes": hetu, "Norwegian numbers": fodselsnummer,
        "Brazilian tax numbers": cpf, "Chilean identity numbers": rut, "Swiss numbers": swiss, "Romanian codes": cnp,
        "Bulgarian civil numbers": egn, "Estonian personal codes": ik, "Greek insurance numbers": amka,
        "Croatian personal numbers": oib, "Irish service numbers": pps, "Korean resident numbers": rrn,
        "Turkish identity numbers": tckimlik, "South African numbers": african, "Indian identity numbers": aadhaar,
        "UK health service numbers": nhs, "Dutch citizen numbers": bsn, "Canadian insurance numbers": sin,
        "Australian tax numbers": tfn, "Israeli identity numbers": israeli,
    }  # fmt: skip
