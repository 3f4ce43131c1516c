"""Loops over whole runs: several methods on one table."""
