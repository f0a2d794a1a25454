"""Doors of the house: by a name in the run file comes in a class of ours, of a user's file, or of an installed package."""
