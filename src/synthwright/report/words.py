"""Plain words for every metric: what it says when it is met, what when it is not, and what to try next.

Metrics that are not here (a plug-in's) are spoken of by their own name and summary.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LEARN = "Give the generator more training rows."
_FOREST = "Try the generator `forest`, the default, which makes every column from those made before it."
_FINER = "With `forest`, lower `leaf` or `evidence`, so that it learns finer; it remembers more then."
_COARSER = "With `forest`, raise `evidence`, `leaf` and `protect`, so that it learns coarser and remembers less."
_KINDS = "See whether the kinds are right in the schema: a number read as a label, a date as text."
_COARSEN = "Leave out, or coarsen, columns that point at one person: exact dates, postcodes, rare labels."
_SENSITIVE = "Mark columns that name people as `sensitive` in the schema: they are made anew."
_MIXED = "See whether real rows were mixed into the synthetic file by mistake."
_GROUPS = "Give the generator more training rows of the small groups."
_BALANCE = "Make more rows of the small groups: `start: {set: {COLUMN: balanced}}`."
_REALITY = "Compare with the real rows: what they hold of it, good synthetic rows hold too."
_PREDICT = "Make the columns that predict and the one that is predicted in one part, so that they fit each other."


class Words(NamedTuple):
    """How a metric is spoken of."""

    title: str
    """What it is about, as a heading."""
    holds: str
    """A clause that is true where the metric is met; "it" and "they" are the synthetic rows."""
    fails: str
    """A clause that is true where it is not."""
    tries: tuple[str, ...]
    """What to try where it is not met, the likeliest first."""
    rank: int = 0
    """What is said first where several fail or hold; 0 is first."""


WORDS: dict[str, Words] = {
    # integrity
    "rules": Words("Rules", "every rule holds as often as in real rows", "rows break rules that hold in real rows", (
        "See in the list of rules which ones are broken: where real rows break them too, correct the schema.",
        "Keep the curator `rules` in the specification; rows of another tool can be filtered by the same rules.",
        "Make the columns of a rule in one part, so that they are drawn together.")),
    "keys": Words("Keys and references", "keys and references are sound",
                  "keys repeat, references lead nowhere, or values are missing that must be there", (
        "Declare keys and references in the schema (`kind: key`, `kind: reference`): they are then made anew, soundly.",
        "Rows of another tool: number the key anew, and draw references from the keys that are there.")),
    "rows": Words("Number of rows", "all rows that were asked for are there", "rows that were asked for are missing", (
        "See in the table of dropped rows which reason took the most, and loosen that rule or curator.",
        "Allow more rounds: raise `waves`.")),
    "conditions": Words("What was set", "columns that were set hold what was asked",
                        "columns that were set do not hold what was asked", (
        "See below which column it is, and whether rows with some of its values were dropped more than others.",
        "Make the columns that were not set by a generator that can be given others: `forest`.")),
    # privacy
    "exact-copies": Words("Exact copies", "they repeat real rows no more often than other real rows do",
                          "rows of it repeat real ones", (
        _MIXED, "Keep the curator `copies` in the specification: it drops rows that equal real ones.", _COARSER,
        "Where few columns with few values are made, rows repeat by nature: make more columns, or fewer rows.")),
    "near-copies": Words("Near copies", "they come no closer to real rows than other real rows do",
                         "rows of it are real ones with small changes", (_MIXED, _COARSER, _COARSEN), 1),
    "rare-copies": Words("Copies of rare rows", "they repeat rare real rows no oftener than other real rows do",
                         "what only few real rows hold is repeated", (_COARSER, _COARSEN, _SENSITIVE), 1),
    "value-copies": Words("Copied values", "their values are those of single real people no oftener than by chance",
                          "values of it are those of single real people", (
        _SENSITIVE, "See below which column it is; leave it out, or make its values anew.", _COARSEN, _MIXED), 1),
    "holdout-copies": Words("Copies of unused rows", "rows kept back for this proof are among them by chance alone",
                            "rows that were kept back for this proof are among them, so nothing is proven", (
        "See how the held-out rows reached the generator, or choose others; then make the rows again.", _MIXED), 1),
    "membership": Words("Membership", "attacks on them do not tell who was in the real data",
                        "it helps to tell who was in the real data", (_COARSER, _LEARN, _COARSEN), 2),
    "singling-out": Words("Singling out", "attacks on them single out people of the real data no oftener than others",
                          "it helps to single out real people", (_COARSEN, _COARSER, _SENSITIVE), 2),
    "linkability": Words("Linking", "attacks on them link the data of people of the real data no oftener than others'",
                         "it helps to link what belongs to one real person", (_COARSEN, _COARSER), 2),
    "attribute-inference": Words("Inference", "attacks on them infer no more of people of the real data than of others",
                                 "it helps to infer what was not known of real people",
                                 (_COARSER, _COARSEN, _SENSITIVE), 2),
    "dcr-share": Words("Distance to the training rows", "they lie as near to unused real rows as to used ones",
                       "its rows lie nearer to the rows it was made from than to other real rows",
                       (_MIXED, _COARSER, _LEARN), 3),
    # utility
    "tstr": Words("Learning from it", "models learn from them as from real rows",
                  "a model trained on it predicts worse than one trained on real rows", (
        "See whether the target is the column you meant, and whether it has enough rows of each label.",
        _PREDICT, _FOREST, _LEARN)),
    "trts": Words("Answering as real rows", "models of real rows predict them as well as other real rows",
                  "a model of real rows predicts it otherwise than other real rows", (
        "See whether labels were mixed up, and whether the target is the column you meant.", _PREDICT, _FOREST), 1),
    "model-ranking": Words("Choosing models", "kinds of models rank on them much as on real rows",
                           "kinds of models rank otherwise on it than on real rows", (_FOREST, _FINER, _LEARN), 1),
    "importance": Words("What matters for a prediction", "models find the same columns important",
                        "models trained on it rely on other columns", (_PREDICT, _FOREST, _FINER), 2),
    "augmentation": Words("Adding it to real rows", "adding them to real rows does no harm",
                          "adding it to real rows makes models worse", (
        _FOREST, "Add fewer synthetic rows, or only rows of the rare label: `start: {set: {COLUMN: LABEL}}`."), 2),
    "calibration": Words("Probabilities", "probabilities learned from them are as right as from real rows",
                         "probabilities that a model learns from it are off", (_FOREST, _FINER, _LEARN), 2),
    "text-utility": Words("Learning from its texts", "classifiers of texts learn from them as from real rows",
                          "a classifier that learned from its texts is wrong more often on real ones", (
        "See below which classes are found less often, and read some of their texts.",
        "Keep the curator `off-label-real` in the specification: it drops texts that say another label.",
        "Make more texts of these classes, and more different ones: more examples in the prompt, other operations.")),
    "label-noise": Words("Right labels", "no more of their texts have a wrong label than of real ones",
                         "more of its texts have a wrong label than of real ones", (
        "Keep the curator `off-label` or `off-label-real` in the specification.",
        "See below which classes it is: say in the prompt what tells them apart, or change fewer words.",
        "See whether labels and texts were mixed up."), 1),
    # fidelity and diversity
    "shape": Words("Single columns", "single columns are distributed as in real rows",
                   "single columns are distributed otherwise than in real rows", (_KINDS, _FOREST, _LEARN)),
    "shares": Words("Frequent values", "every frequent value is as frequent as in real rows",
                    "a value is more or less frequent than in real rows", (
        "See whether rows were dropped for a reason that only some values have.", _FOREST, _LEARN)),
    "trend": Words("Pairs of columns", "columns go together as in real rows",
                   "columns do not go together as in real rows", (
        "A generator that makes columns one by one (`marginals`) loses this.", _FOREST,
        "Name relations that must hold as `rules` of the schema.", _LEARN)),
    "cardinality": Words("Rows of each row", "as many rows belong to each row of another table as in real data",
                         "more or fewer rows belong to each row of another table than in real data", (
        "State how many rows there are for each: `start: {children: {TABLE: {of: TABLE.COLUMN, …}}}`.",
        "Ask for as many rows of each table as real data has of them in proportion: `start: {rows: {…}}`.",
        "Draw references as unevenly as real ones are: `degrees` or `weight` of `reference`.",
        "Rows of another tool: see whether parents without children, or with very many, are there.")),
    "link-trend": Words("Columns across tables", "rows fit the rows of other tables that they belong to",
                        "rows do not fit the rows of other tables that they belong to", (
        "Draw references by what parents and children have in common: `match`, `where` or `weight` of `reference`.",
        "Make the columns of the children from those of their parent: `given` in their part, or a `formula`.",
        "Rows of another tool: see whether keys were given out anew in another order.", _LEARN)),
    "detection": Words("Telling it apart", "a model can hardly tell them from real rows",
                       "a model can tell it from real rows", (
        "Look at the worst columns and pairs below: one column with odd values is enough to be told by.",
        _KINDS, _FOREST, _LEARN), 1),
    "marginals": Words("Several columns together", "combinations of columns occur as in real rows",
                       "combinations of columns occur otherwise than in real rows", (_FOREST, _FINER, _LEARN), 1),
    "dependencies": Words("Relations", "relations between columns hold as in real rows",
                          "relations between columns that hold in real rows are broken", (
        "Name the broken relations as `rules` of the schema: they are then kept in every row.",
        "Make the columns of a relation in one part.", _FOREST), 1),
    "coverage": Words("Reach", "they reach as far as other real rows do", "some labels or ranges do not occur in it", (
        "Make more rows: what is rare needs many.", "Lower `protect`, where privacy allows: rarer labels are kept.",
        _LEARN), 2),
    "lost": Words("Lost values", "no more of what real rows have is lost than in other real rows",
                  "what real rows have is lost", (
        "Make more rows: what is rare needs many.", _LEARN,
        "See whether rows were dropped for a reason that only some values have."), 2),
    "missingness": Words("Missing values", "values are missing where real rows miss them",
                         "values are missing elsewhere than in real rows", (
        "See whether missing values are nulls on both sides, not filled, nor words such as 'unknown'.",
        "Make a column with nulls in one part with the columns its nulls depend on.", _FOREST), 2),
    "tails": Words("Rare values", "rare values are as frequent as in real rows", "rare values are too few or many", (
        "Lower `protect`, where privacy allows: values that few rows share are blurred or left out.", _LEARN,
        "Where rare values do not matter for the use, waive the gate with that reason."), 2),
    "support": Words("Strange values", "values lie beyond those of real rows no oftener than other real ones do",
                     "values occur that no real row holds", (
        "See whether sentinels (-999, 'unknown') stand for missing values, and whether both sides have one unit.",
        "State the range as a rule, such as `age <= 100`."), 2),
    "lattices": Words("Steps and round numbers", "values keep to the steps and round numbers of real ones",
                      "values leave the steps and round numbers that real ones keep", (
        "Set `step` of these columns in the schema: 0.01 for cents, 1 for whole numbers.", _KINDS), 2),
    "density": Words("Plausible rows", "they lie where real rows lie", "rows of it lie where no real rows lie",
                     (_FOREST, _KINDS, _LEARN), 2),
    "recall": Words("All sorts of rows", "sorts of real rows have their like among them as among other real rows",
                    "some sorts of real rows have no like in it", (_FINER, "Make more rows.", _LEARN), 2),
    "entropy": Words("Variety", "they are as varied as real rows", "it is less varied than real rows",
                     (_FINER, _FOREST, _LEARN), 2),
    "duplicates": Words("Repeated rows", "they repeat each other no more than real rows do",
                        "its rows repeat each other", (
        "Keep the curator `duplicates` in the specification.", "Make fewer rows, or more columns.", _FINER), 2),
    "spread": Words("Spread", "they lie as far apart as real rows", "its rows lie closer together than real ones",
                    (_FINER, _FOREST, _LEARN), 2),
    "text-diversity": Words("Variety of texts", "texts are as varied as real ones",
                            "texts are less varied than real ones", (
        "Tell the writer more that differs from row to row: a topic, a person, a tone, drawn by other parts.",
        "Raise `temperature`, or show it other examples: what it is shown, it repeats.",
        "Drop what says the same again: the curators `near-duplicates` and `same-meaning`.",
        "See whether variety falls from wave to wave, and let it write otherwise: `diversity: {then: reseed}`."), 2),
    # bias
    "group-shares": Words("Shares of groups", "groups are as large as in real rows",
                          "groups are larger or smaller than in real rows", (_GROUPS, _BALANCE)),
    "group-fidelity": Words("Likeness by group", "every group is made equally well",
                            "some groups are made worse than others", (_GROUPS, _FINER), 1),
    "group-utility": Words("Learning by group", "models learned from them serve every group as real ones do",
                           "models trained on it serve some groups worse", (_GROUPS, _FOREST), 1),
    "demographic-parity": Words("Equal predictions", "models trained on them favour groups no more than real rows do",
                                "models trained on it favour some groups more than real rows do",
                                (_REALITY, _BALANCE), 2),
    "equal-opportunity": Words("Equal chances", "models trained on them overlook groups no more than real rows do",
                               "models trained on it overlook some groups more than real rows do",
                               (_REALITY, _BALANCE), 2),
}  # fmt: skip

GENERIC = ("See in the tables below which columns are worst, and look at their charts.", _KINDS, _FOREST, _LEARN)
"""What to try where a metric is not known here."""
UNMEASURED: dict[str, str] = {
    "tstr": "Name the column to predict: `evaluate: {target: COLUMN}`, or `--target COLUMN`.",
}
"""What to try where a metric could not be measured …"""
MENDING = "Mend what kept it from being measured, or waive the gate, with the reason."
"""… and where nothing better is known."""


def words(metric: str) -> Words:
    """Return how a metric is spoken of."""
    known = WORDS.get(metric)
    return known or Words(metric, f"what {metric!r} asks is met", f"what {metric!r} asks is not met", GENERIC, 3)


_OWN = re.compile(
    r"`(?:forest|marginals|waves|protect|start: |copies|duplicates|rules|sensitive|step|kind: |degrees|match|given)"
    r"|curator|in one part"
)


def own(advice: str) -> bool:
    """Return whether advice is about settings of Synthwright, which rows of another tool do not have."""
    return bool(_OWN.search(advice))


class Attack(NamedTuple):
    """What the officer is told about a metric of privacy."""

    risk: str
    """Which risk it stands for."""
    knows: str
    """What the attacker is assumed to have."""
    does: str
    """What the attacker does, and when that counts as a success."""
    control: str
    """What the same attack gets where there is nothing to find."""
    scale: str
    """What the least and the greatest result would mean."""


_ROWS = "The synthetic rows, and nothing else."
_RECORD = "The synthetic rows, and the whole record of a person."
_HELD = ("What the same attack finds in held-out rows, which the generator never saw, is taken off the result already; "
         "what both have in common is not in it.")  # fmt: skip
_SHARE = "0: no synthetic row; 1: every synthetic row"
_GAIN = "0: found no oftener than in people whose rows were not used; 1: always found, and never in those"

ATTACKS: dict[str, Attack] = {
    "singling-out": Attack("Singling out", _ROWS, "Makes descriptions from synthetic rows; right where one fits "
                           "exactly one real row.", _HELD, _GAIN),
    "linkability": Attack("Linkability", "The synthetic rows, and two tables with different columns of people.",
                          "Says which rows of the two are the same person.", _HELD, _GAIN),
    "attribute-inference": Attack("Inference", "The synthetic rows, and all columns of a person but one.",
                                  "Says what that one column is, by the nearest synthetic row.", _HELD, _GAIN),
    "membership": Attack("Membership", _RECORD, "Says, in several ways, whether that person was among the "
                         "rows that were learned from.", "What a blind guess reaches.",
                         "0.5: a blind guess; 1: told of everybody, without an error"),
    "exact-copies": Attack("Copies", _ROWS, "Takes every synthetic row for a real one; right where it equals one.",
                           "How often real rows that the generator never saw equal a real row by nature.", _SHARE),
    "near-copies": Attack("Copies", _ROWS, "Takes a synthetic row for the one real row that it points at far more "
                          "surely than at any other.", "How often other real rows do so, by nature.", _SHARE),
    "rare-copies": Attack("Copies", _ROWS, "Looks for real rows that stand apart, and takes what points at one for it.",
                          "How often other real rows do so, by nature.", _SHARE),
    "value-copies": Attack("Copies", _ROWS, "Takes every text in a column (an e-mail, a name, a note) for that of a "
                           "real person; right where one real person alone has it, or a quarter of a long one.",
                           "How often other real rows have such a value, by nature.",
                           "0: no value of the worst column; 1: every one"),
    "holdout-copies": Attack("Copies", _ROWS, "Takes every synthetic row for a real one that was kept back.",
                             "How often real rows equal one that was kept back, by nature.", _SHARE),
    "dcr-share": Attack("Copies", _ROWS, "Asks of every synthetic row whether a row that was learned from is nearer "
                        "than one that was not.", "As often the one as the other.",
                        "0.5: as often the one as the other; 1: always the row that was learned from"),
}  # fmt: skip
"""How each metric of privacy is explained to the data protection officer; the risks of the guidance come first."""
GUIDED = ("Singling out", "Linkability", "Inference")
"""The risks that Opinion 05/2014 (WP 216) of the Article 29 Working Party names."""
RISKS = {
    "Singling out": "Can records that identify one person be isolated?",
    "Linkability": "Can records of one person, or of one group of people, be linked?",
    "Inference": "Can the value of an attribute be deduced from others, with significant probability?",
    "Membership": "Can it be told that a person was among the training rows?",
    "Copies": "Are real records repeated, wholly or nearly?",
}
"""The risks that are asked about."""
