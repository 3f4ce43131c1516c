"""Say what `anonymeter.py` found: who sees which copies, where both sides agree, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from faults_other import ranks
from proof import machine

PRIVACY = frozenset({"exact-copies", "near-copies", "rare-copies", "holdout-copies", "membership"})
"""The metrics whose default gates are about privacy."""
ATTACKED = {"one": "singling-out, 1 column", "several": "singling-out, 3 columns", "link": "linkability",
            "worst": "inference, worst column"}  # fmt: skip
"""What the page calls the risks that anonymeter finds."""
BESIDE = {"mean": "inference, mean of columns", "one, all": "singling-out, 1 column, as called",
          "several, all": "singling-out, 3 columns, as called"}  # fmt: skip
"""Further ones, on which no verdict rests."""
SAFE = {"disclosure": "DisclosureProtectionEstimate", "baseline": "DCRBaselineProtection",
        "overfitting": "DCROverfittingProtection"}  # fmt: skip
"""The scores of SDMetrics: 1 is the best, and no interval is given."""
PAIRS = (("singling-out", "one"), ("singling-out", "several"), ("linkability", "link"), ("attribute-inference", "mean"),
         ("attribute-inference", "disclosure"), ("membership", "overfitting"), ("dcr-share", "overfitting"),
         ("dcr-share", "baseline"))  # fmt: skip
"""Scores of ours and of the peers that ask much the same."""
Found = dict[str, Any]
"""What one side said of one case."""
Known = dict[str, dict[str, Found]]
"""That of all cases, by side and case; a case is a table, a split and the synthetic rows, with slashes."""
PAGE = """# Our privacy attacks beside anonymeter's and SDMetrics'

Written by `python bench/anonymeter.py`. {machine}
Beside it, each on one thread and in an environment of their own: anonymeter {anonymeter} (The Clear BSD License) and
SDMetrics {sdmetrics} (MIT). Processor seconds of a case, the median: {cost}.

Of each table 4,000 rows are drawn: 1,600 to learn from, 800 held out (the control), and 1,600 that stand for synthetic
rows. *Honest*: other real rows. *1 %* and *5 % copied*: 16 and 80 of these are replaced by training rows. *40 isolated
copied*: by the 40 training rows that are farthest from any other. *All, noise*: every training row, with noise of 0.02
standard deviations in its numbers. *All copied*: the training rows themselves, as a generator makes that memorises.

Square brackets hold 95 % intervals; **bold** is a score that sees something. Ours: it exceeds its reference by more
than chance does in one of 20,000 honest samples; default gates refuse as `synthwright evaluate` does. anonymeter, with
{attacks} attacks and {columns} columns, its defaults: the interval excludes 0, as that of one in 40 honest samples
would; for the worst of all columns the interval holds for all of them at once. SDMetrics: it gives no interval and no
bound, so a score counts where it is lower than those of honest rows (three splits) by more than these differ among
themselves; 1 is the best.

## What `membership` has to reach

{promises}

## Who sees what

{verdicts}

## Where they agree

{agreement}

## Where they measure different things

- **Singling out.** anonymeter asks for a value that one synthetic row alone has, or for three columns, numbers as *at
  least* or *at most*. Ours lets every synthetic row guess, with one column up to all, by values and by ranges: noise
  in every number hides copies from anonymeter's queries of one column, not from ranges of many. Its queries of one
  column come in no fixed order, so that a repeated run says a little else.
- **Attacks.** Ours attacks with all rows, anonymeter {attacks} times: of 16 copied rows it meets about five. More
  attacks, which may be asked for, would see more.
- **Unequal sides.** A query singles out more or fewer rows of a larger table. anonymeter corrects the control's count
  by a curve that it fits on samples of 1,000 control rows and more; with 800 there is one size only, and the curve is
  left open. So anonymeter is given 800 of the training rows, and half of the copies are out of its sight; *as called*
  is what it says of all 1,600. Ours cuts both sides to one size too, and divides the risk by the share that is left.
- **Linkability.** Of rows that are equally near to a half of the columns, anonymeter takes one, ours any: in a table of
  labels many are. Ours wants the link in ten random splits of the columns; anonymeter got every other column.
- **Inference.** A guessed number is right within 5 % of itself for anonymeter, within 0.05 % of the ranks for ours. The
  gain is divided by what the control leaves: a column that is mostly 0 has wide intervals. anonymeter cuts risks at 0,
  so that a mean over columns is above 0 for honest rows.
- **SDMetrics.** DCROverfittingProtection asks what our `dcr-share` asks, but does not bring both sides to one size
  (here the bench does). DCRBaselineProtection is a median against random rows, DisclosureProtectionEstimate a mean over
  600 rows; neither has a control: they tell how near, not whether nearer than to people who were never seen.
- **Only ours.** Copies counted against what real rows repeat among themselves (`exact-copies`, `near-copies`), copies
  of those who stand apart (`rare-copies`), of held-out rows, and membership at low false positive rates.
"""


def honest(known: Known, table: str = "") -> list[str]:
    """Return the cases of honest rows, of all splits."""
    return [name for name in known["ours"] if name.startswith(table) and name.endswith("/honest")]


def first(known: Known, table: str = "") -> list[str]:
    """Return the cases of the first split, where faults are planted."""
    return [name for name in known["ours"] if name.startswith(table) and "/0/" in name]


def tables(known: Known) -> list[str]:
    """Return the tables."""
    return list(dict.fromkeys(name.split("/")[0] for name in known["ours"]))


def score(known: Known, name: str, label: str) -> Found:
    """Return what a score of ours or of the peers came to, and whether it sees something."""
    if label in known["ours"][name]["scores"]:
        return known["ours"][name]["scores"][label]
    found = known["theirs"][name]["scores"][label]
    if label not in SAFE:
        return found
    values = [known["theirs"][n]["scores"][label]["value"] for n in honest(known, name.partition("/")[0])]
    return found | {"seen": found["value"] < 2 * min(values) - max(values)}


def cell(found: Found) -> str:
    """Return a score with its interval, for a table."""
    said = f"{found['value']:.3f}" + (f" ({found['alone']} of {found['of']})" if "of" in found else "")
    said = f"**{said}**" if found.get("seen") else said
    return said + (f" [{found['low']:.3f}, {found['high']:.3f}]" if "low" in found else "")


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def promises(known: Known) -> Iterator[str]:
    """Yield whether membership tells memorised rows, and nothing of honest ones."""
    for table in tables(known):
        area = score(known, f"{table}/0/all copied", "membership")["value"]
        blind = [score(known, n, "membership") for n in honest(known, table)]
        hold = sum(b["low"] <= 0.5 <= b["high"] for b in blind)
        kept = "kept" if area >= 0.9 and hold == len(blind) else "**not kept**"
        yield f"- {table}: area {area:.3f} where all training rows are copied (0.9 is asked for); the interval of"
        yield f"  honest rows holds 0.5 in {hold} of {len(blind)} splits: {kept}."


def verdicts(known: Known) -> Iterator[str]:
    """Yield who sees which tables, who misses what, and who is alarmed by honest rows."""
    missed: dict[str, list[str]] = {"the default gates on privacy": [], "anonymeter": [], "SDMetrics": []}
    doubted = []
    same = dict.fromkeys(("anonymeter", "SDMetrics"), 0)
    yield row("", "default gates", "our scores", "anonymeter", "SDMetrics")
    yield "|---" * 5 + "|"
    for name in first(known):
        refused = known["ours"][name]["refused"]
        sees = ["; ".join(v for k, v in w.items() if score(known, name, k)["seen"]) for w in (ATTACKED, SAFE)]
        ours, short = known["ours"][name]["scores"].values(), name.replace("/0/", ", ")
        mine = f"{sum(s['seen'] for s in ours)} of {len(ours)}"
        yield row(short, "refuse" if refused else "pass", mine, *(s or "none" for s in sees))
        for who, by in zip(missed, (PRIVACY & set(refused), *sees), strict=True):
            missed[who] += [] if by or name in honest(known) else [short]
        control = honest(known, name.partition("/")[0])[0]
        if sees[0] and all(score(known, control, k)["seen"] for k in ATTACKED if score(known, name, k)["seen"]):
            doubted += [] if name == control else [short]
        for who, by in zip(same, sees, strict=True):
            same[who] += bool(by) == bool(refused)
    yield ""
    copied = [n for n in first(known) if n not in honest(known)]
    for who, some in missed.items():
        yield f"- Of {len(copied)} tables with copies, missed by {who}: {'; '.join(some) or 'none'}."
    if doubted:
        yield f"- anonymeter sees {'; '.join(doubted)} only by what alarms it at the honest rows of that split, too."
    agreed = " and ".join(f"{who} in {count}" for who, count in same.items())
    yield f"- Of the {len(first(known))} tables above, the default gates come to the verdict of {agreed}."
    yield from alarms(known, copied)


def alarms(known: Known, copied: list[str]) -> Iterator[str]:
    """Yield how often honest rows alarm each side, and what ours would see by anonymeter's yardstick."""
    blind = honest(known)
    gains = [f"`{g}` {sum(score(known, n, g)['low'] > 0 for n in copied)} of {len(copied)} tables with copies and "
             f"{sum(score(known, n, g)['low'] > 0 for n in blind)} of {len(blind)} honest ones"
             for g in ("singling-out", "linkability", "attribute-inference")]  # fmt: skip
    yield f"- By anonymeter's yardstick, an interval that excludes 0, ours would see: {'; '.join(gains)}."
    counts = [f"{said} {sum(score(known, n, k)['seen'] for n in blind)}"
              for k, said in (ATTACKED | BESIDE).items() if k != "mean"]  # fmt: skip
    mine = sum(s["seen"] for n in blind for s in known["ours"][n]["scores"].values())
    refused = sum(bool(known["ours"][n]["refused"]) for n in blind)
    alone, tried = (sum(score(known, n, "mean")[k] for n in blind) for k in ("alone", "of"))
    yield f"- Of {len(blind)} honest tables the default gates refuse {refused}; our scores see something {mine} times."
    yield f"  anonymeter's do: {'; '.join(counts)}; and {alone} of {tried} inferences of one column by itself."


def agreement(known: Known) -> Iterator[str]:
    """Yield how alike both sides rank the six synthetic tables."""
    yield "Rank correlation of the scores over the six synthetic tables of the first split (SDMetrics' turned round):\n"
    yield row("ours", "theirs", *tables(known)) + "\n|---|---|" + "---:|" * len(tables(known))
    alike = []
    for mine, other in PAIRS:
        found, said, sign = [], (ATTACKED | BESIDE | SAFE)[other], -1 if other in SAFE else 1
        for table in tables(known):
            names = first(known, table)
            one, two = (ranks(np.array([score(known, n, k)["value"] for n in names])) for k in (mine, other))
            found.append(sign * np.corrcoef(one, two)[0, 1])
        alike += [f"`{mine}` and {said}"] if min(found) >= 0.8 else []
        yield row(mine, said, *(f"{f:.2f}" for f in found))
    yield f"\nAlike on both tables, at 0.8 or more: {'; '.join(alike)}."


def numbers_of(known: Known, table: str, secret: str) -> Iterator[str]:
    """Yield all scores of one table's first split."""
    names = first(known, table)
    head = row("", *(name.rpartition("/")[2] for name in names))
    yield f"\n## {table.capitalize()}\n\n{head}\n|---|" + "---:|" * len(names)
    for label in known["ours"][names[0]]["scores"]:
        yield row(label, *(cell(score(known, n, label)) for n in names))
    refused = [", ".join(known["ours"][n]["refused"]) for n in names]
    yield row("**default gates**", *(f"refuse: {r}" if r else "pass" for r in refused))
    for whose, labels in (("anonymeter", ATTACKED | BESIDE), ("SDMetrics", SAFE)):
        for k, said in labels.items():
            yield row(f"{whose}: {said}", *(cell(score(known, n, k)) for n in names))
    yield f"\nSDMetrics' secret is `{secret}`. Behind a mean: the columns whose own interval excludes 0."


def page(known: Known, secrets: Mapping[str, str], attacks: int, columns: int) -> str:
    """Return the page.

    Args:
        known: what was found.
        secrets: by table, the column that SDMetrics takes for the secret.
        attacks: how many attacks anonymeter made.
        columns: how many columns its queries had.
    """
    found = [f["seconds"] for side in known.values() for f in side.values()]
    took = {who: sorted(s[who] for s in found if who in s) for who in ("ours", "anonymeter", "sdmetrics")}
    cost = ", ".join(f"{who} {spent[len(spent) // 2]:.0f}" for who, spent in took.items())
    parts = {f.__name__: "\n".join(f(known)) for f in (promises, verdicts, agreement)}
    about = {"machine": machine(), "cost": cost, "attacks": attacks, "columns": columns}
    whole = PAGE.format(**about, **parts, **next(iter(known["theirs"].values()))["versions"])
    return "\n".join(
        [whole.rstrip(), *(line for t, secret in secrets.items() for line in numbers_of(known, t, secret)), ""]
    )
