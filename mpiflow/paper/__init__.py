"""Figures and tables, each one command and one file of this room: `mpiflow paper NAME`.

Each has `TITLE`, what it shows, on one line; `SIZES`, points at laptop, node and cluster size; `run(comm, out, size, say,
seed)`, which draws its picture out/NAME.png, says its table line by line, and returns the table's rows, dataclasses
(collective); and `claims(rows)`: what the paper says beside what was found. `LEAST`, where there is one, is the smallest
size that makes sense. A file of a user's with the same verbs is a figure too: `mpiflow paper mine.py`.
"""
