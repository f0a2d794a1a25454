"""The tables of a run file as typed models: names, defaults, ranges, and what must fit together."""
