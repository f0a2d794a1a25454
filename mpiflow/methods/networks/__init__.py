"""Kinds of networks, one a file: what [network] kind may name. What computes is loaded where it is asked for."""
