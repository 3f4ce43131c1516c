"""Recipes that a third party wrote; nothing here is part of Synthwright."""
