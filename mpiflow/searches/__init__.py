"""How a flow goes on from one step to the next: a search is one file here, and flow.search names it."""

from mpiflow.searches.search import Search, descended

__all__ = ["Search", "descended"]
