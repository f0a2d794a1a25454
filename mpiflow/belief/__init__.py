"""What a state must hold to be believed: `mpiflow.state` holds it against the schema, this room against its run file."""
