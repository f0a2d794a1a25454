"""What a run will need, before it waits in a queue: bytes, seconds, files, and what would not fit."""
