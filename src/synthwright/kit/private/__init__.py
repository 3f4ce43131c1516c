"""Measuring under a privacy budget: noise, what it costs, domains, marginals, and models of them."""
