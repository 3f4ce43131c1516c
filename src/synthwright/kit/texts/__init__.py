"""Texts: their words, spans, vectors and grammars, and what may be wrong with them."""
