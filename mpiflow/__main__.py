"""The entry point: signals and threads first, then the commands."""

import os
import sys


def main() -> None:
    """Run one mpiflow command on this rank."""
    # One BLAS thread a rank unless the user says otherwise: ranks share the cores, and bits depend on the threads.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    if sys.argv[1:2] in (["run"], ["members"], ["tune"]):
        # Before the heavy imports: a signal from now on is a wish to stop with a state saved.
        from mpiflow.job import triggers
        from mpiflow.ranks import segments

        triggers.install()
        segments.remove_stale()
    from mpiflow.screen import streams

    streams.install()
    from mpiflow.cli import app
    from mpiflow.doors.raised import in_one_line
    from mpiflow.ranks.ending import ends_together

    try:
        with ends_together(), in_one_line():
            app()
    except SystemExit as leaving:
        asked = not {"-h", "--help"}.isdisjoint(sys.argv)
        if asked and not leaving.code and streams.OUT.lost and not streams.OUT.unread:
            raise SystemExit(4) from None
        raise
    finally:
        # Else Python would flush it after the exit code is told.
        streams.OUT.flush()
        streams.ERR.flush()


if __name__ == "__main__":
    main()
