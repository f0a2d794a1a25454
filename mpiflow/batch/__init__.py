"""Runs under a batch system: supervised, requeued, submitted."""
