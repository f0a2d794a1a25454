"""Formulas compiled to vector registers."""
