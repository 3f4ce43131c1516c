"""Columns as codes and back: orders, shapes, patterns, keys and pseudonyms."""
