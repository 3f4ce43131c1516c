"""What the officer's page says of the law and its guidance, of its own limits, and of how it is to be kept.

It states what was measured against which criteria, and concludes nothing. Sources: Regulation (EU) 2016/679 (GDPR),
recital 26; Article 29 Working Party, Opinion 05/2014 on Anonymisation Techniques (WP 216); European Data Protection
Board, Opinion 28/2024 on data protection and AI models.
"""

from __future__ import annotations

from typing import NamedTuple


class Basis(NamedTuple):
    """What a page rests on."""

    real: bool
    """Whether there were real rows at all."""
    train: bool
    holdout: bool
    judged: bool
    """Whether the rows were made elsewhere."""


LAW = (
    "This page states measurements. It does not say that the rows are anonymous: whether somebody can be identified by "
    "means reasonably likely to be used (recital 26 of the GDPR) depends on who holds the rows, on what else they know "
    "or can get, and on techniques to come. That is for the controller to assess."
)
"""What stands at the top of every page."""
GUIDANCE = (
    "* The criteria of Opinion 05/2014 (WP 216) of the Article 29 Working Party. Where one of them is not met, that "
    "opinion asks for a thorough evaluation of the risk of identification. Its criteria are wider than these attacks: "
    "here the control is taken off, so that what is true of everybody alike, and can be inferred of anybody, does not "
    "count. Membership inference and the repetition of training data are among the attacks that the European Data "
    "Protection Board names for AI models (Opinion 28/2024)."
)
"""What stands under the table of risks."""
_OTHERS = (
    "An attacker with other knowledge, other data to link with, or a better attack may find more than these attacks."
)
_THESE = (
    "What was measured holds for these rows. Other rows of the same generator have to be measured again; so do these "
    "as attacks get better."
)
_MODEL = "The rows were attacked, not the model that made them: a model that is handed on gives more to attack."
_EACH = "Results are about all rows together: a low result does not say that every single person is safe."
_LAWFUL = "Whether real rows could lawfully be used to make others was not looked at: that is a processing of its own."
_TOLD = (
    "Which real rows the generator learned from, and which it never saw, is taken from who asked. If that is wrong, so "
    "are the results."
)
_WEAKER = (
    "Without held-out rows the controls are weaker: they come from a part of the training rows; and some attacks "
    "cannot be carried out."
)
_NOTHING = (
    "Without real rows nothing can be attacked: if real rows were used to make these, nothing is known of what they "
    "give away."
)
_INTERNAL = (
    "This page is computed from real rows. It holds no row; names of columns and of compared groups may stand in it. "
    "It is internal: do not publish it."
)
_RECORD = (
    "Keep it with the documentation of the processing it belongs to (a record, an impact assessment) while the "
    "synthetic rows are in use, and delete it with that."
)
_BESIDE = "The report beside it shows counts of real rows, of three and more at a time. It is internal too."
_QUARANTINE = (
    "A folder called quarantine, where there is one, holds rows that were dropped, some for being too like real ones."
)
_EMPTY = "No real row was looked at for this page. Keep it with the documentation of the synthetic rows."


def limits(basis: Basis) -> tuple[str, ...]:
    """Return what is not guaranteed, whatever was found."""
    if not basis.real:
        return (_NOTHING,)
    out = [_OTHERS, _THESE, _MODEL, _EACH, _LAWFUL]
    out += [_TOLD] if basis.judged else []
    out += [_WEAKER] if basis.train and not basis.holdout else []
    return tuple(out)


def keeping(basis: Basis) -> tuple[str, ...]:
    """Return how the page is to be kept."""
    return (_INTERNAL, _RECORD, _BESIDE, _QUARANTINE) if basis.real else (_EMPTY,)
