"""The language of formulas, and what a specification states as a value or a formula."""
