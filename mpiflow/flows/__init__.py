"""Flows of a metric under a frozen kernel, of its components and of its Kaehler potential, and what they predict."""
