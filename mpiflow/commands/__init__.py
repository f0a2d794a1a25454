"""The commands, in groups; each imports what it needs when it is called, so that `--help` is quick and needs no MPI."""
