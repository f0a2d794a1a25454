"""The commands, a group a file; each imports what it needs when it is called, so that `--help` is quick and needs no MPI.

A file says which it has, COMMANDS = {place in --help: function}: a new one is a file here, and no other edit.
"""
