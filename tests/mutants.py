"""Small faults, each with the test that catches it (`scripts/mutate` tries them)."""

from __future__ import annotations

from typing import NamedTuple

from mutants_by_file import BY_FILE


class Mutant(NamedTuple):
    """One fault: in a file of mpiflow `old`, which is there once, becomes `new`; `test` (under tests/) must fail then."""

    fault: str
    file: str
    old: str
    new: str
    test: str

    def applied(self, text: str) -> str:
        """The text of the file with the fault in it. Raises ValueError where its place is not there, or there twice."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.fault}: {self.old!r} is in {self.file} {text.count(self.old)} times")
        return text.replace(self.old, self.new)


_HERE = "unit/test_small_faults.py::test_"

MUTANTS = [
    Mutant(
        "a halved step accumulates more than it took",
        "flows/components.py",
        "        trial = self._measured(self.theta - step)\n",
        "        trial = self._measured(self.theta - step * np.array([1.0, 1.5])[:, None, None])\n",
        f"{_HERE}a_halved_step_accumulates_what_was_taken",
    ),
    Mutant(
        "the loss is divided by N - 1",
        "measures.py",
        "return float(weighted / weight)",
        "return float(weighted / weight) * layout.total / (layout.total - 1)",
        f"{_HERE}the_loss_of_a_record_is_the_mean_over_x",
    ),
    Mutant(
        "the blamed point is told by its row on the rank",
        "flows/components.py",
        "int(self.layout.rows[values.argmin()])",
        "int(values.argmin())",
        f"{_HERE}the_blamed_point_is_told_by_its_number_in_the_data_set",
    ),
    Mutant(
        "every metric counts as positive",
        "job/evaluate.py",
        "positive=float(layout.sum(least > 0)) / layout.total",
        "positive=1.0",
        f"{_HERE}positive_is_the_share_of_points_where_the_metric_is",
    ),
    Mutant(
        "a model's kappa is off by a thousandth",
        "predictor.py",
        "return kappa_of(self.train.layout, self.train.points, g)",
        "return 1.001 * kappa_of(self.train.layout, self.train.points, g)",
        f"{_HERE}a_model_has_the_kappa_of_its_train_points_and_its_table_unseen_ones",
    ),
    Mutant(
        "the closing table has train points for unseen ones",
        "job/flowing.py",
        '"unseen": self.test}',
        '"unseen": self.train}',
        f"{_HERE}a_model_has_the_kappa_of_its_train_points_and_its_table_unseen_ones",
    ),
    Mutant(
        "a study always maximises",
        "tune/journal.py",
        'direction="maximize" if tune.objective == "gain" else "minimize"',
        'direction="maximize"',
        f"{_HERE}a_study_goes_where_its_objective_does",
    ),
    Mutant(
        "noise is larger by the root of 2",
        "sampling.py",
        "noise = scale * np.sqrt(0.5) * draws",
        "noise = scale * draws",
        f"{_HERE}noise_has_the_scale_that_was_asked_for",
    ),
    Mutant(
        "the answer of flock is ignored",
        "state/lock.py",
        "    except BlockingIOError:\n        return False\n",
        "    except BlockingIOError:\n        return True\n",
        f"{_HERE}the_kernels_lock_is_asked_whatever_the_file_says",
    ),
    Mutant(
        "SIGHUP is not caught",
        "job/triggers.py",
        "signal.SIGINT, signal.SIGHUP)",
        "signal.SIGINT)",
        f"{_HERE}every_signal_that_asks_for_a_stop_is_noted",
    ),
    Mutant(
        "a step that raises the loss is accepted",
        "flows/potentials.py",
        "return trial if trial.least > 0 and (lowered or",
        "return trial if trial.least > 0 and (True or",
        f"{_HERE}a_potential_takes_no_step_that_raises_the_loss",
    ),
    Mutant(
        "a ridge is larger by a fifth",
        "kernels/kaehler.py",
        "matrix[np.diag_indices_from(matrix)] += ridge",
        "matrix[np.diag_indices_from(matrix)] += 1.2 * ridge",
        f"{_HERE}a_ridge_is_what_the_run_file_says",
    ),
    Mutant(
        "the Euler number's error takes points of a line for independent",
        "geometry/curvature.py",
        "cuts = values[: len(values) // group * group].reshape(-1, group).mean(1)",
        "cuts = values",
        f"{_HERE}points_of_a_line_count_once_for_the_error_of_the_euler_number",
    ),
    Mutant(
        "near pairs are not corrected",
        "kernels/near.py",
        "_NEAR = 1e-3",
        "_NEAR = 1e-13",
        f"{_HERE}near_pairs_are_computed_by_the_wedge_form_up_to_where_they_matter",
    ),
    Mutant(
        "of nearly equal distances Delta takes the first",
        "kernels/delta.py",
        "return close[np.argmin(distance(point, y[close]))]",
        "return close[0]",
        f"{_HERE}of_two_sources_that_are_nearly_as_near_delta_takes_the_nearer",
    ),
    Mutant(
        "what is written is not synced",
        "files/disk.py",
        "        os.fsync(descriptor)\n        if hasattr",
        "        if hasattr",
        "faults/test_unsynced_writes.py",
    ),
    Mutant(
        "a file gets its name before it is whole",
        "files/put.py",
        "        _write_down(temp, _pieces(content), files)\n",
        "        temp = path\n        _write_down(temp, _pieces(content), files)\n",
        "faults/test_unsynced_writes.py",
    ),
    Mutant(
        "a temporary may follow a link",
        "files/disk.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC",
        "os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC",
        "unit/test_files.py",
    ),
    Mutant(
        "a log follows a link",
        "files/disk.py",
        "os.open(path, how | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)",
        "os.open(path, how | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)",
        "unit/test_files.py",
    ),
    Mutant(
        "an input may be replaced",
        "files/claims.py",
        "path.exists() and Path(source).exists() and os.path.samefile(path, source)",
        "False",
        "unit/test_files.py",
    ),
    Mutant(
        "text is shown as markup",
        "screen/console.py",
        'options |= {"markup": False, "emoji": False, "highlight": False}',
        'options |= {"markup": True}',
        "hostile/test_nothing_shown_ends_a_run.py::test_row",
    ),
    Mutant(
        "a control character is shown as it is",
        "screen/inert.py",
        "if c.isprintable() or c in keep else",
        "if True else",
        "hostile/test_nothing_shown_ends_a_run.py::test_inert_text_is_printable",
    ),
]

MUTANTS += [
    Mutant(fault, file, old, new, test) for (file, test), faults in BY_FILE.items() for fault, old, new in faults
]
