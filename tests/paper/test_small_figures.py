"""Each figure's command at a tiny size: the numbers it prints are right and its picture is there."""

import pytest
from facts import telling

from mpiflow import config
from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.job.flowing import Flowing
from mpiflow.paper import clustering_error, delta, distance, noise
from mpiflow.paper.registry import figure, titles


def test_distance_follows_the_papers_fit(tmp_path):
    lines = []
    rows = distance.run(Comm(), tmp_path, 10_000, lines.append)
    one = [row for row in rows if row.chart == "one"]
    assert all(abs(row.mean / (0.968 * row.count**-0.184) - 1) < 0.05 for row in one)
    assert abs(distance.fitted(one)[1] + 0.184) < 0.02
    assert (tmp_path / "distance.png").stat().st_size > 10_000
    assert sum("paper" in line for line in lines) >= 2


def test_delta_gains_slowly(tmp_path):
    rows = delta.run(Comm(), tmp_path, 10_000, lambda line: None)
    assert [row.count for row in rows] == [1000, 3162, 10_000]
    gains = [row.gain for row in rows]
    assert gains == sorted(gains) and 1 < gains[0] < 1.2 < gains[-1] < 2
    assert (tmp_path / "delta.png").exists()


def test_clustering_costs_accuracy_and_a_halo_saves_it(tmp_path, monkeypatch):
    monkeypatch.setattr(clustering_error, "STEPS", 3)
    rows = clustering_error.run(Comm(), tmp_path, 400, lambda line: None)
    by = {(row.clusters, row.coupling): row for row in rows}
    for count in (4, 20):
        assert by[count, "halo"].error < 1e-3 < 0.01 < by[count, "none"].error
        assert by[count, "halo"].bytes_step < by[count, "all"].bytes_step
    assert (tmp_path / "clustering-error.png").exists()


def test_every_figure_has_its_room():
    known = titles()
    assert {"clustering-error", "table"} < set(known) and list(known) == sorted(known)
    for name, title in known.items():
        found = figure(Comm(), name)
        assert {"laptop", "node", "cluster"} == set(found.module.SIZES) and callable(found.module.run)
        assert found.title == title == found.module.TITLE


def test_unknown_figures_and_sizes_are_refused():
    with telling(InputError, "paper figure-9", "architectures, balanced"):
        figure(Comm(), "figure-9")
    for size in ("huge", "99", "1" * 5000, "\u00b2"):
        with telling(InputError, f"--size {size}", "laptop, node, cluster"):
            figure(Comm(), "noise").points(size)


def test_gain_falls_as_one_over_the_distance(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "SCALES", (1e-7, 1e-6, 1e-5, 1e-4, 1e-3))
    lines = []
    rows = noise.run(Comm(), tmp_path, 100, lines.append)
    for name in ("Gaussian", "Delta"):
        for project in (True, False):
            mine = [r for r in rows if (r.kernel, r.precision, r.project) == (name, "float64", project)]
            c, power, _ = noise.fitted(mine)
            assert abs(power - 1) < 0.02 and 0.05 < c < 0.6
    assert noise.fitted([row for row in rows if row.kernel == "ReLU NTK"]) is None
    assert any("no c/d law" in line for line in lines)


def gain_of(points, kernel, flow):
    """The gain on unseen points of a run file."""
    table = {"points": points, "kernel": kernel, "flow": flow}
    return Flowing.begun(Comm(), config.check(table, "test")).finish().table()[1].gain


def test_a_run_file_finds_what_the_figure_of_delta_does(tmp_path):
    """It flows only the points that are nearest to unseen ones, which is how it comes to ten million."""
    first = delta.run(Comm(), tmp_path, 10_000, lambda line: None)[0]
    flow = {"dt": delta.DT, "steps": delta.STEPS, "normalisation": "sum"}
    found = gain_of({"train": first.count, "test": delta.QUERIES}, {"name": "delta"}, flow)
    assert found == pytest.approx(first.gain, rel=1e-11)


def test_a_run_file_finds_what_the_figure_of_noise_does(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "SCALES", (1e-6, 1e-4))
    rows = noise.run(Comm(), tmp_path, 100, lambda line: None)
    for row in rows:
        if row.precision == "float64":
            points = {"train": 100, "test": 100, "noise": row.scale, "project": row.project}
            assert gain_of(points, *noise.KERNELS[row.kernel]) == pytest.approx(row.gain, rel=1e-11)
