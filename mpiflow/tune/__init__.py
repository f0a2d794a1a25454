"""Bayesian optimisation of the keys of a run file, a new point set in every trial (HR 3.2); the only room with Optuna."""
