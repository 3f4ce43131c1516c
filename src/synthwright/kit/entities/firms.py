"""What companies are called: legal forms by country, trades, words of a trade, the form of tax numbers."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.kit.entities.dictionaries import Lexicon
from synthwright.kit.entities.latin import latin
from synthwright.kit.entities.locales import country_of, language_of
from synthwright.kit.sampling.dice import Dice, secret

SECTORS: dict[str, float] = {
    "Agriculture": 4, "Manufacturing": 9, "Energy": 2, "Construction": 13, "Retail": 20, "Transport": 6,
    "Hospitality": 9, "Software": 7, "Finance": 3, "Real estate": 5, "Consulting": 11, "Education": 3, "Health": 6,
    "Media": 2,
}  # fmt: skip
"""Trades, with rough shares of companies in percent."""
_FORMS = {
    "US": "Inc.|LLC|Corp.|Co.", "CA": "Inc.|Ltd.|Corp.", "GB": "Ltd|Ltd|PLC|LLP", "IE": "Ltd|Ltd|DAC|PLC",
    "AU": "Pty Ltd|Pty Ltd|Ltd", "NZ": "Limited", "ZA": "(Pty) Ltd|Ltd", "KE": "Ltd|PLC",
    "IN": "Pvt. Ltd.|Ltd.|LLP", "DE": "GmbH|GmbH|GmbH & Co. KG|AG|KG|OHG|e.K.|UG (haftungsbeschränkt)",
    "AT": "GmbH|GmbH|AG|KG|OG", "de_CH": "AG|GmbH", "fr_CH": "SA|Sàrl", "FR": "SARL|SAS|SA|SNC",
    "nl_BE": "BV|NV", "fr_BE": "SRL|SA", "NL": "B.V.|B.V.|N.V.|V.O.F.", "ES": "S.L.|S.L.|S.A.|S.L.U.",
    "PT": "Lda.|S.A.", "IT": "S.r.l.|S.p.A.|S.n.c.", "SE": "AB|AB|HB", "NO": "AS|AS|ASA", "DK": "ApS|A/S",
    "FI": "Oy|Oy|Oyj|Ky", "IS": "ehf.|hf.", "EE": "OÜ|AS", "LV": "SIA~|AS~", "LT": "UAB~|AB~",
    "PL": "sp. z o.o.|S.A.|sp.j.", "CZ": "s.r.o.|a.s.", "SK": "s.r.o.|a.s.", "HU": "Kft.|Kft.|Zrt.|Bt.|Nyrt.",
    "RO": "S.R.L.|S.A.", "BG": "ООД|ЕООД|АД", "HR": "d.o.o.|d.d.|j.d.o.o.", "SI": "d.o.o.|d.d.|s.p.",
    "GR": "Α.Ε.|Ε.Π.Ε.|Ο.Ε.", "TR": "A.Ş.|Ltd. Şti.", "UA": "ТОВ~|ПрАТ~", "RU": "ООО~|АО~", "GE": "შპს~|სს~",
    "AM": "ՍՊԸ|ՓԲԸ", "IL": "בע״מ", "SA": "شركة~", "JP": "株式会社|合同会社", "KR": "주식회사 ~|(주)~",
    "CN": "有限公司|股份有限公司", "TW": "股份有限公司|有限公司", "TH": "บริษัท~",
    "VN": "Công ty TNHH~|Công ty Cổ phần~", "ID": "PT~|CV~",
    "BR": "Ltda.|S.A.|ME", "MX": "S.A. de C.V.|S. de R.L.", "AR": "S.A.|S.R.L.", "CL": "SpA|Ltda.|S.A.",
    "CO": "S.A.S.|Ltda.",
}  # fmt: skip
"""Legal forms by country or locale, as often as they stand here; those with ~ stand before the name."""
_WORDS = {
    "": (
        "Farms,Agro|Works,Tools,Metals|Energy,Solar,Power|Build,Structures|Market,Trading,Stores|"
        "Logistics,Cargo|Catering,Hotels|Systems,Data,Soft|Capital,Finance|Estates,Homes|Partners,Advisory|"
        "Academy,Learning|Care,Medical|Media,Studio"
    ),
    "de": (
        "Agrar,Landbau|Maschinenbau,Metallbau|Energie,Solar|Bau,Hochbau|Handel,Markt|Logistik,Spedition|"
        "Gastro,Catering|Systeme,Software|Finanz,Kapital|Immobilien,Wohnbau|Beratung,Partner|"
        "Akademie,Bildung|Medizintechnik,Pflege|Medien,Verlag"
    ),
    "fr": (
        "Agricole,Agro|Industrie,Mécanique|Énergie,Solaire|Bâtiment,Construction|Distribution,Négoce|"
        "Transport,Logistique|Traiteur,Hôtels|Informatique,Systèmes|Finance,Capital|Immobilier,Habitat|"
        "Conseil,Associés|Formation,Académie|Santé,Médical|Médias,Éditions"
    ),
    "es": (
        "Agrícola,Agro|Industrias,Metales|Energía,Solar|Construcciones,Obras|Comercial,Distribución|"
        "Transportes,Logística|Hostelería,Catering|Sistemas,Informática|Finanzas,Capital|Inmobiliaria,Hogar|"
        "Consultores,Asesores|Formación,Academia|Salud,Médica|Medios,Editorial"
    ),
    "ru": (
        "Агро|Маш,Сталь|Энерго|Строй|Торг|Транс|Сервис|Софт,Системы|Финанс,Капитал|Дом|Консалт|Образование|Мед|Медиа"
    ),
    "ja": (
        "農産|工業,製作所|電力,エナジー|建設,工務店|商事,商店|運輸,物流|ホテル,フーズ|"
        "情報,システム|証券,ファイナンス|不動産|コンサルティング|教育|医療,薬品|出版,メディア"
    ),
    "zh": (
        "农业|制造,机械|能源|建设,工程|贸易,商贸|物流,运输|餐饮,酒店|科技,软件|投资,金融|置业|咨询|教育|医药,健康|传媒"
    ),
    "ko": (
        "농산|산업,기계|에너지|건설|상사,유통|물류,운수|푸드,호텔|소프트,시스템|금융,투자|"
        "부동산|컨설팅|교육|의료,제약|미디어"
    ),
}
"""Words of each trade, in the order of `SECTORS`, by language; other languages have those of English."""
_WORDLESS = frozenset({"el", "he", "ar", "th", "ka", "hy", "hi"})
"""Languages of other scripts, for which there are no words: companies are called by families alone."""
_LIKE = {"uk": "ru", "bg": "ru"}
_AND = {
    "de": " & ", "ru": " и ", "uk": " та ", "bg": " и ", "es": " y ", "pt": " e ", "it": " e ",
    "fr": " et ", "pl": " i ", "cs": " a ", "sk": " a ", "ja": "", "zh": "", "ko": "", "el": " & ",
    "he": " ו", "ar": " و",
}  # fmt: skip
_CLOSE = frozenset({"ja", "zh", "ko"})
"""Languages that put a name together without blanks."""
_TAXES = {
    "AT": "ATU########", "BE": "BE0#########", "BG": "BG#########", "HR": "HR###########", "CZ": "CZ########",
    "DK": "DK########", "EE": "EE#########", "FI": "FI########", "FR": "FR###########", "DE": "DE#########",
    "GR": "EL#########", "HU": "HU########", "IE": "IE#######@", "IT": "IT###########", "LV": "LV###########",
    "LT": "LT#########", "NL": "NL#########B##", "PL": "PL##########", "PT": "PT#########", "RO": "RO########",
    "SK": "SK##########", "SI": "SI########", "ES": "ESB########", "SE": "SE##########01", "GB": "GB#########",
    "CH": "CHE-###.###.###", "NO": "#########MVA", "IS": "######", "TR": "##########", "US": "00-#######",
    "CA": "#########RT0001", "AU": "## ### ### ###", "NZ": "###-###-###", "IN": "##@@@@@####@#Z#", "ZA": "4#########",
    "BR": "##.###.###/####-##", "MX": "@@@######@@#", "AR": "##-########-#", "CL": "########-#", "CO": "#########-#",
    "RU": "##########", "UA": "############", "JP": "T#############", "KR": "###-##-#####", "CN": "91###############X",
    "TW": "########", "TH": "#############", "VN": "##########", "ID": "##.###.###.#-###.###", "IL": "#########",
    "SA": "3#############3", "KE": "P#########@", "GE": "#########", "AM": "########",
}  # fmt: skip
"""What tax numbers of companies look like: `#` a digit, `@` a letter."""
_CHECKS = {"US": "ein", "CA": "bn", "AU": "abn", "NZ": "ird", "IN": "gstin", "ZA": "tin", "BR": "cnpj", "MX": "rfc",
           "AR": "cuit", "CL": "rut", "CO": "nit", "RU": "inn", "UA": "edrpou", "JP": "cn", "KR": "brn", "CN": "uscc",
           "TW": "ubn", "TH": "tin", "VN": "mst", "ID": "npwp", "IL": "hp", "IS": "vsk", "TR": "vkn", "NO": "mva",
           "KE": "pin", "GE": "vat", "AM": "vat", "SA": "vat"}  # fmt: skip
"""What checks the numbers of a country, in python-stdnum, where it is not `vat`."""
POOL = 1_000


class Firms(NamedTuple):
    """What companies of several locales are called, as lexicons whose groups are the locales."""

    forms: Lexicon
    before: pa.Array
    """By the code of a legal form: what stands before the name."""
    after: pa.Array
    """By the code of a legal form: what stands after it."""
    words: Lexicon
    """Words of trades, whose groups are the trades of each locale in turn."""
    spaced: pa.Array
    """By the code of a word: the word with what stands before it in a name."""
    plain: pa.Array
    """By the code of a word: the word in English letters behind a hyphen; nothing where it has none."""
    ands: tuple[str, ...]
    """Of each locale: what stands between two names."""


@cache
def firms_of(locales: tuple[str, ...]) -> Firms:
    """Return what companies of some locales are called."""
    forms, before, after, words, spaced, plain = [], [], [], [], [], []
    for locale in locales:
        language = language_of(locale)
        blank = "" if language in _CLOSE else " "
        said = (_FORMS.get(locale) or _FORMS[country_of(locale)]).split("|")
        forms.append({form.rstrip(" ~"): float(said.count(form)) for form in dict.fromkeys(said)})
        before += [form.rstrip("~") + blank if form.endswith("~") else "" for form in dict.fromkeys(said)]
        after += ["" if form.endswith("~") else blank + form for form in dict.fromkeys(said)]
        trades = (
            [[""]] * len(SECTORS)
            if language in _WORDLESS
            else [t.split(",") for t in _WORDS.get(_LIKE.get(language, language), _WORDS[""]).split("|")]
        )
        words += trades
        spaced += [w and blank + w for t in trades for w in t]
        plain += [f"-{p}" if (p := latin(w, language)) else "" for t in trades for w in t]
    text = pa.large_string()
    return Firms(Lexicon.of(*forms), pa.array(before, text), pa.array(after, text), Lexicon.of(*words),
                 pa.array(spaced, text), pa.array(plain, text),
                 tuple(_AND.get(language_of(n), " & ") for n in locales))  # fmt: skip


@cache
def tax_numbers(country: str) -> tuple[str, ...]:
    """Return texts that look like tax numbers of a country's companies, none of which passes its check."""
    from stdnum import get_cc_module

    checker = get_cc_module(country.lower(), _CHECKS.get(country, "vat"))
    form = _TAXES[country]
    dice = Dice(np.arange(2 * POOL), secret("taxes", country))
    letters = np.array(list("ABCDEFGHJKLMNPQRSTUVWXYZ"))
    said = np.full(2 * POOL, "", dtype=np.str_)
    for i, char in enumerate(form):
        digits = dice.integers(0, 10)
        part = letters[dice.integers(0, len(letters))] if char == "@" else digits.astype(np.str_)
        if char == "#" and "#" not in form[:i]:
            part = np.full(2 * POOL, "0")  # hardly any begins so
        said = np.char.add(said, part if char in "#@" else char)
    every = list(dict.fromkeys(said.tolist()))
    kept = [t for t in every if checker is None or not checker.is_valid(t)]
    return tuple((kept or every)[:POOL])  # some countries have a form and no check digit
