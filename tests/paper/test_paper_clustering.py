"""Figure 2 and its silhouettes: the order of the methods that we measured, and a picture."""

import pytest

from mpiflow.comm import world
from mpiflow.paper import clustering


@pytest.mark.parallel([1, 2])
def test_silhouettes_and_the_picture_of_figure_2(shared_path):
    said = []
    rows = {row.name: row for row in clustering.run(world(), shared_path / "new", 1000, said.append)}
    assert (shared_path / "new" / "clustering.png").read_bytes().startswith(b"\x89PNG")
    assert said[0].split()[-3:] == ["5", "10", "20"] and len(said) == len(rows) + 2
    ours = {name: row.ours for name, row in rows.items()}
    k_means, whole = ours["k-means in the embedding"], ours["one batch"]
    for k in range(3):
        assert k_means[k] > max(0.08, 1.5 * whole[k])
        assert ours["mini-batches, greedy merge"][k] < whole[k]
        assert abs(ours["mini-batches, moments"][k] - ours["mini-batches, assignment"][k]) < 0.005
