"""Keeping rules: what holds in which row, and how rows that break a rule are mended."""
