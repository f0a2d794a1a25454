"""Small faults file by file: (what is wrong, the code, the code with the fault); the test named first catches them all."""

from __future__ import annotations

BY_FILE = {
    ("state/retention.py", "unit/test_writer.py"): [
        ("one state more than asked for goes", "max(len(before) - (keep - 1), 0)", "max(len(before) - (keep - 2), 0)"),
        ("one state more than asked for stays", "max(len(before) - (keep - 1), 0)", "max(len(before) - keep, 0)"),
        ("states of keep_every go too", "if not (keep_every and step % keep_every == 0)", "if True"),
        ("states above the committed one count", "if step < committed)", "if True)"),
    ],
    ("state/seal.py", "unit/test_state.py"): [
        ("a damaged file passes for its seal", "    if _block(size, digest.hexdigest()) != head:", "    if False:"),
    ],
    ("state/status.py", "input/test_other_shapes.py"): [
        ("a status of any words is taken", 'found.get("state") in STATES and', "True and"),
        (
            "a status of true for a step is taken",
            "all(type(n) is int for n in numbers)",
            "all(isinstance(n, int) for n in numbers)",
        ),
    ],
    ("state/holder.py", "unit/test_lock.py"): [
        ("a live holder counts as gone", 'return bool(flocked) or not _alive(other["pid"])', "return True"),
        ("a requeued job is not known", 'return other["restart"] != me["restart"]', "return False"),
        ("a job that runs counts as ended", "return not _RUNNING & set(answer.stdout.split())", "return True"),
    ],
    ("state/status.py", "unit/test_status.py"): [
        ("a status of any state is written", "    if state not in STATES:", "    if False:"),
    ],
    ("state/holder.py", "input/test_other_shapes.py"): [
        (
            "a process that may not be asked counts as gone",
            "    except PermissionError:\n        pass",
            "    except PermissionError:\n        return False",
        ),
    ],
    ("state/provenance.py", "unit/test_provenance.py"): [
        ("a change of any key is harmless", 'HARMLESS = ("output.", ', 'HARMLESS = ("output.", "kernel.", "points.", '),
        ("the number of steps may not change", '"flow.steps", ', ""),
    ],
    ("state/commit.py", "unit/test_writer.py"): [
        (
            "what the writer met is forgotten",
            "        if error:\n            raise error",
            "        if False:\n            raise error",
        ),
        ("a moved folder is written to", "if self._lock and holder.holder(self.folder) != self._lock:", "if False:"),
    ],
    ("files/take.py", "unit/test_files.py"): [
        ("a pipe is waited for", "os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC", "os.O_RDONLY | os.O_CLOEXEC"),
        ("a byte order mark stays", '.decode("utf-8-sig")', '.decode("utf-8")'),
        ("a file of any size is read", "        if size > limit:", "        if False:"),
    ],
    ("files/put.py", "unit/test_files.py"): [
        ("a pipe is replaced", "        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):", "        if False:"),
    ],
    ("files/put.py", "faults/test_unsynced_writes.py"): [
        ("the name of a new file is not made certain", "        files.sync_folder(path.parent)\n", ""),
    ],
    ("files/claims.py", "hostile/test_nothing_is_overwritten.py"): [
        (
            "a file that is there is replaced",
            '        if not force:\n            raise InputError(f"{path}: is there already; choose',
            '        if False:\n            raise InputError(f"{path}: is there already; choose',
        ),
        ("a folder of others is written into", "        if not made and not force:", "        if False:"),
    ],
    ("files/arrays.py", "unit/test_cymetric_files.py"): [
        ("a pickle is loaded", "allow_pickle=False", "allow_pickle=True"),
        ("a bomb is unpacked", "if item.file_size > max(_LARGE, _PACKED * item.compress_size):", "if False:"),
    ],
    ("cymetric.py", "unit/test_cymetric.py"): [
        (
            "weights are believed",
            "off = np.abs(weight / ours / constant - 1)",
            "off = 0 * np.abs(weight / ours / constant - 1)",
        ),
        (
            "|Omega|^2 is believed",
            "form = np.abs(y[:, 1] / surface.omega2(z, chart_there) - 1)",
            "form = np.zeros(len(z))",
        ),
        ("points off X are taken", "surface.off(z), ON_X", "0 * surface.off(z), ON_X"),
        ("a point may be there twice", "        if one < len(z):", "        if False:"),
        ("train points may be unseen ones", 'other = "X_train" if half == "val" else "X_val"', 'other = "X_none"'),
        ("the density is ignored", "(each / density for each in weighings)", "weighings"),
        (
            "weights of any size are kept",
            "return weight if abs(constant - 1) < SAME_FORM else weight / constant",
            "return weight",
        ),
        ("points of one chart pass for all", "if chart is None and len(inside) > _FEW and", "if False and"),
    ],
    ("job/triggers.py", "unit/test_triggers.py"): [
        ("the margin before the deadline is one save short", "MARGIN = 2.0", "MARGIN = 1.0"),
        ("a STOP file for later stops now", "and int(text) > step:", "and int(text) > step + 1000:"),
        ("a STOP file is not used up", "        with suppress(OSError):\n            self.stop_file.unlink()\n", ""),
        ("the end of the Slurm job is not heard", "    if slurm.isdecimal():", "    if False:"),
        ("the longest step does not count", "max(self._steps, default=0.0)", "min(self._steps, default=0.0)"),
        ("a save by the clock comes twice", "            self._saved = self._boundary\n", "            pass\n"),
        ("steps are saved one late", "step % self.every_steps == 0", "step % self.every_steps == 1"),
    ],
    ("ranks/hearing.py", "unit/test_hearing.py"): [
        ("a signal before a stage is not heard in it", "        _leave()\n        yield", "        yield"),
        ("a second signal disturbs the first", "{_words.pop()}", "{_words[0]}"),
        ("a rank in C code is waited for", "        os._exit(RESUBMIT)", "        return"),
        ("a stage never ends", "        _words.clear()\n", ""),
    ],
    ("ranks/shards.py", "unit/test_shards.py"): [
        ("a share has a row too many", "total * (rank + 1) // ranks)", "total * (rank + 1) // ranks + 1)"),
        ("the dearest goes last", "key=lambda part: -price[part].sum()", "key=lambda part: price[part].sum()"),
        (
            "large clusters are never cut",
            "for limit in (fair, fair / 2, fair / 4, fair / 8, fair / 16):",
            "for limit in (np.inf,):",
        ),
    ],
    ("ranks/segments.py", "unit/test_segments.py"): [
        ("a young segment is removed", "and time.time() - found.st_mtime > old", ""),
        ("a segment in use is removed", "if str(path) not in mapped", "if True"),
    ],
    ("ranks/alike.py", "hostile/test_other_machines.py::test_ranks_of_different_programs_are_refused"): [
        ("versions may differ", "if len(versions) > 1 or len(commits) > 1:", "if len(commits) > 1:"),
        ("commits may differ", "if len(versions) > 1 or len(commits) > 1:", "if len(versions) > 1:"),
    ],
    ("ranks/shortage.py", "hostile/test_too_little.py"): [
        (
            "a lack of memory behind another error is missed",
            "error = error.__cause__ or error.__context__",
            "error = None",
        ),
        ("what NumPy wanted is not told", "prod(shape) * dtype.itemsize", "prod(shape)"),
    ],
    ("clustering/trees.py", "unit/test_clustering.py"): [
        ("pairs are put away one off", "- i - 1\n", "- i\n"),
    ],
    ("clustering/linkages/complete.py", "unit/test_clustering.py"): [
        ("complete linkage is average", 'name = "complete"', 'name = "average"'),
    ],
    ("clustering/partition.py", "unit/test_clustering.py"): [
        ("one merge too few", "    merges = points - count\n", "    merges = points - count - 1\n"),
        ("clusters keep the numbers of the tree", "return rank[inverse]", "return inverse.astype(np.int32)"),
    ],
    ("clustering/merges/greedy.py", "unit/test_merge.py"): [
        ("two clusters join one seed", "        mean[taken] = np.inf\n", ""),
        ("the farthest cluster joins", "mean[:, seed].argmin()", "mean[:, seed].argmax()"),
        ("sums of distances are not means", "np.outer(*sizes)", "1.0"),
    ],
    ("clustering/tree.py", "unit/test_merge.py"): [
        ("the dearest matching is taken", "linear_sum_assignment(cost)", "linear_sum_assignment(-cost)"),
    ],
    ("clustering/halo.py", "unit/test_halo.py"): [
        ("a halo is too narrow", "<= reach).any(0)", "<= 0.9 * reach).any(0)"),
        (
            "balls that only touch are left out",
            "radius[:, None] + radius[None] + reach + _SLACK",
            "radius[:, None] + reach + _SLACK",
        ),
        ("a cluster is in its own halo", "    np.fill_diagonal(meet, False)\n", ""),
    ],
    ("losses.py", "unit/test_losses.py"): [
        ("the natural gradient is the plain one", "    if natural:\n", "    if False:\n"),
    ],
    ("pointwise.py", "unit/test_pointwise.py"): [
        ("a term of the determinant is missing", " - a[2] * square(x)\n\n", "\n\n"),
        ("of two equal least eigenvalues half of the digits", "xp.where(r > 0, near, apart)", "apart"),
        ("a cofactor has the wrong sign", "x * w - y * a[1]", "y * a[1] - x * w"),
    ],
    ("engine/cuda_pairs.py", "unit/test_device.py"): [
        ("a block with itself counts twice", "if (here == there) continue;", ""),
        ("a slice lacks its last row", "k < {within}; k++", "k < {within} - 1; k++"),
    ],
    ("engine/cuda_loops.py", "unit/test_device.py"): [
        (
            "the last stretch is taken as whole",
            "? (int)(end - first) : {self.stretch}",
            "? {self.stretch} : {self.stretch}",
        ),
    ],
    ("functionals/monge_ampere.py", "unit/test_losses.py"): [
        ("the slope of (1 - eta)^2 is half", "return 2 * (eta - 1)", "return eta - 1"),
    ],
    ("functionals/log.py", "unit/test_losses.py"): [
        ("the slope of the log loss lacks 1 / eta", "return 2 * np.log(eta) / eta", "return 2 * np.log(eta)"),
    ],
    ("hermitian.py", "unit/test_kaehler.py"): [
        ("the root of 2 is forgotten one way", "above = _SQRT2 * g[..., i, j]", "above = g[..., i, j]"),
    ],
    ("measures.py", "unit/test_small_faults.py"): [
        ("kappa is a sum", "return float(weighted / weight)", "return float(weighted)"),
    ],
    ("streams.py", "unit/test_streams.py"): [
        ("streams share their points", "key=[seed, (stream << 48) | int(number)]", "key=[seed, int(number)]"),
        (
            "all trials have the same points",
            "np.random.SeedSequence([seed, place])",
            "np.random.SeedSequence([seed, 0])",
        ),
    ],
    ("geometry/charts.py", "unit/test_sampling.py"): [
        ("noise is never projected", "range(20 if project else 0)", "range(0)"),
    ],
    ("geometry/hypersurface.py", "unit/test_sampling.py"): [
        ("a weight has one power too many", "** (z.shape[1] - 1) / np", "** z.shape[1] / np"),
        (
            "|Omega|^2 is of the wrong chart",
            "slope2[np.arange(len(z)), chart[:, 1].astype(int)]",
            "slope2[np.arange(len(z)), chart[:, 0].astype(int)]",
        ),
    ],
    ("geometry/domain.py", "unit/test_geometry.py"): [
        ("resampled points have their weight for the form", "<= _SAME * form", "<= form"),
    ],
    ("belief/points.py", "unit/test_belief.py"): [
        (
            "a label beyond the clusters is believed",
            '"clusters/label", label, 0, count - 1',
            '"clusters/label", label, 0, count + 99',
        ),
        (
            "any matrix is a metric",
            '        if wrong.any():\n            yield f"{name}[{start',
            '        if False:\n            yield f"{name}[{start',
        ),
        ("weights may be negative", 'arrays["points/weight"], tiny, huge', 'arrays["points/weight"], -huge, huge'),
        ("sizes are believed", '        yield "clusters/size does not', '        pass; "clusters/size does not'),
    ],
    ("belief/course.py", "unit/test_belief.py"): [
        ("the time is believed", "    if not np.allclose(", "    if False and not np.allclose("),
        ("a step beyond the last is believed", "    if state.step > config.flow.steps:", "    if False:"),
        ("the seed is believed", 'for name in ("seed", "precision"):', 'for name in ("precision",):'),
    ],
    ("tune/desk.py", "unit/test_tune.py"): [
        (
            "a stopped trial counts as a death",
            "self._again(trial.number, deaths=0)",
            "self._again(trial.number, deaths=9)",
        ),
        ("a given-up trial is complete", "state=TrialState.PRUNED", "state=TrialState.FAIL"),
    ],
    ("engine/neighbours.py", "unit/test_engine.py"): [
        ("the cut-off is too near", '"float64": exp(-(8.5**2) / 2)', '"float64": exp(-(4.5**2) / 2)'),
    ],
    ("modes/resident.py", "unit/test_engine.py"): [
        ("the budget is not asked", "question.bytes <= question.budget", "True"),
    ],
    ("modes/streamed.py", "unit/test_engine.py"): [
        ("a search may be streamed", ' if kernel.nearest else ""', ' if False else ""'),
    ],
    ("job/folder.py", "restart/test_refusals.py::test_a_refused_run_leaves_all_as_it_was"): [
        ("a refused run leaves its folder", "    stack.push(_as_it_was(folder, new))\n", ""),
    ],
    (
        "plan/question.py",
        "restart/test_refusals.py::test_what_a_plan_refuses_a_run_refuses_as_soon_and_in_the_same_words",
    ): [
        ("run does not ask the plan", "        fit.check(of, of(", "        (lambda *_: None)(of, of("),
    ],
    ("config.py", "unit/test_config.py"): [
        ("a --set may set two keys", "    if len(found) > 1:", "    if False:"),
    ],
    ("config.py", "input/test_input_fuzzer.py::test_overrides"): [
        (
            "a value that is nested too deep is a traceback",
            '    except (ValueError, RecursionError) as error:\n        raise InputError(f"--set',
            '    except ZeroDivisionError as error:\n        raise InputError(f"--set',
        ),
    ],
    ("settings/section.py", "input/test_limits.py::test_what_a_key_cannot_be_is_refused_in_one_line_that_names_it"): [
        ("text passes for a number", "strict=True, ", ""),
        ("numbers have no bounds", "LEAST, MOST = 1e-30, 1e30", "LEAST, MOST = -1e308, 1e308"),
    ],
    ("ansatz/composed.py", "unit/test_ansatz.py"): [
        ("the metric of a logarithm lacks dF dbar F", "+ f2[:, None, None] * _square(along)", "+ 0 * _square(along)"),
        (
            "the kernel does not move with dF",
            "slope[:, 1:, 0] = f1[:, None] * first + f2[:, None] * column",
            "slope[:, 1:, 0] = f1[:, None] * first",
        ),
        (
            "the kernel does not move with F",
            "+ f3 * (along.conj() * column).sum(1)",
            "+ 0 * (along.conj() * column).sum(1)",
        ),
        (
            "a partition of derivatives is left out",
            "        for number, part in enumerate(parts):",
            "        for number, part in enumerate(parts[:1]):",
        ),
    ],
    ("kernels/powers.py", "unit/test_ladder.py"): [
        ("a product of forms is weighed from one side", "(weight[:, None] * a * other)", "(weight[:, None] * a)"),
    ],
    ("kernels/features.py", "unit/test_ladder.py"): [
        ("a power of h keeps its constant", "/ (1 + constant if ansatz.powers else 1)", "/ 1"),
    ],
    ("flows/ladder.py", "unit/test_ladder.py"): [
        ("a rung is one step late", "min(steps // self.steps,", "min((steps - 1) // self.steps,"),
    ],
    ("flows/monge_ampere.py", "unit/test_ansatz.py"): [
        ("kappa's own weights are those of the loss", "self.measure / self.weight * state.eta", "state.eta"),
        ("the prior counts once in the slope", "slope + 2 * self.prior(", "slope + self.prior("),
    ],
    ("searches/lbfgs.py", "unit/test_ansatz.py"): [
        ("the newest pair is forgotten first", "range(_PAIRS - 1, 0, -1)", "range(1, _PAIRS)"),
    ],
    ("kernels/triangle.py", "unit/test_triangle.py"): [
        ("a triangle has all of the diagonal", "range(len(h))] /= 2", "range(len(h))] /= 1"),
        ("the other triangle is taken", "blas.ztrmm(1, triangle.T", "blas.ztrmm(1, triangle"),
        ("two of three products leave their own part", "third[i] - first[i] - second[i]", "third[i] - first[i]"),
        (
            "outer products end with their block",
            "out=found[start:stop, start:])",
            "out=np.empty_like(found[start:stop, start:]))",
        ),
    ],
    ("kernels/pairing.py", "unit/test_pairing.py"): [
        ("an imaginary part has the other sign", "- t[s] * p_w[s]", "+ t[s] * p_w[s]"),
        ("W V is not conjugated", "total[2 * s + 1] -= p", "total[2 * s + 1] += p"),
        ("the last of an odd number of rows counts twice", "dtype.type(b + 1 < rows)", "dtype.type(1)"),
    ],
    ("kernels/cuda_pairing.py", "unit/test_pairing.py"): [
        ("columns beyond the last are taken", "x < count && start + at / 2 < size", "x < count"),
        ("entries below the diagonal are real parts", "part = a > b;", "part = 0;"),
    ],
}
