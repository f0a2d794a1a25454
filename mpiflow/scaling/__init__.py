"""Scaling studies: many runs of one run file on several numbers of ranks, measured from the states that they leave."""
