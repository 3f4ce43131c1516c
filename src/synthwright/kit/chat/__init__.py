"""Asking language models: endpoints, pace, price, budget, and what they may not do."""
