"""A linkage, a merge and an engine of a user's: run, resumed on other ranks, planned, evaluated; refused where none."""

import numpy as np
import pytest
from dropping import begin, holds
from facts import telling

from mpiflow import config, run
from mpiflow.belief import loader
from mpiflow.errors import InputError
from mpiflow.plan import report
from mpiflow.plan.fit import Limits
from mpiflow.plan.machine import Machine

MINE = '''
import numpy as np

from mpiflow.clustering.linkages import Linkage
from mpiflow.clustering.merges import Merge
from mpiflow.kernels import distances
from mpiflow.modes import Mode


class Centres(Linkage):
    """Each point to the nearest of centres, of which each is the point furthest from those before (Gonzalez)."""

    first: int = 0

    def label(self, z, count):
        chosen = [self.first % len(z)]
        while len(chosen) < count:
            chosen.append(int(distances(z, z[chosen]).min(1).argmax()))
        return distances(z, z[chosen]).argmin(1)

    def bytes(self, points):
        return 4000 * points


class Apart(Merge):
    """Each cluster joins the seed whose first member is nearest to its own, to a power of the distance."""

    power: float = 1.0

    def merge(self, batches, z, label, count):
        seeds, seed_label = batches.everywhere(z, 0), batches.everywhere(label, 0)
        seeds = np.stack([seeds[seed_label == c][0] for c in range(count)])
        merged = label.copy()
        for b in batches.mine:
            if b > 0:
                rows = batches.rows(b)
                own = np.stack([z[rows][label[rows] == c][0] for c in range(count)])
                merged[rows] = (distances(own, seeds) ** self.power).argmin(1)[label[rows]]
        return merged, [0 if 0 in batches.mine else z.nbytes]


class Dense(Mode):
    """Rows of the kernel by its formula, one at a time, multiplied in the order of the sources."""

    once = whole = on_host = True

    def build(self, kernel, targets, sources, precision, device):
        return Kept(np.concatenate([kernel.tile(targets[k : k + 1], sources) for k in range(len(targets))]))

    def holds(self, kernel, n, shape, precision, kept):
        return 8 * shape[0] * shape[1]


class Kept:
    def __init__(self, entries):
        self.entries, self.bytes = entries, entries.nbytes

    def apply(self, v):
        return np.stack([(row[:, None] * v).sum(0) for row in self.entries])
'''
RUN = """
[points]
train = 150
test = 60
[clusters]
count = 3
batch = 40
merge = "mine.py:Apart"
linkage = { name = "mine.py:Centres", first = 5 }
[kernel]
name = "gaussian"
width = 0.4
[flow]
steps = 4
dt = 0.02
normalisation = "row"
coupling = "all"
[engine]
mode = "mine.py:Dense"
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "run.toml").write_text(RUN)
    return tmp_path / "run.toml"


def test_they_cluster_and_sum_from_a_run_file_to_an_evaluation(path):
    begin(path)
    model, ours = holds(path), run(config.read(path, ["engine.mode=streamed"]))
    assert model.config.clusters.linkage.first == 5 and model.config.clusters.merge.power == 1.0
    assert model.attributes["engine"].endswith("mine.py:Dense")
    assert all(model.attributes[f"{word}_text"] == MINE for word in ("linkage", "merge", "mode"))
    assert all(sound for _, sound, _ in loader.verify(path.parent / "parts"))
    np.testing.assert_allclose(model.metric(model.test.points.z), ours.metric(model.test.points.z), atol=1e-12)


def test_a_plan_asks_them_for_their_bytes(path):
    def planned(*keys):
        settings = config.read(path, ["points.train=20000", "clusters.batch=20000", *keys])
        return report.facts(settings, path, 1, Limits(64, 4), Machine())["bytes"]

    # What this process has now is in both: the first plan loads what the others find.
    planned("engine.mode=streamed")
    streamed, chordal = planned("engine.mode=streamed"), planned("engine.mode=streamed", "clusters.linkage=chordal")
    assert streamed["cluster"] - chordal["cluster"] == pytest.approx(4000 * 20000, rel=0.05)
    with telling(InputError, "engine.mode", "2.98 GiB", "engine.memory", 'engine.mode = "streamed"'):
        planned()


WRONG = {
    "too few": ("return distances(z, z[chosen]).argmin(1)", "return 0 * distances(z, z[chosen]).argmin(1)", "linkage"),
    "no label": ("def label", "def labels", "linkage"),
    "no integers": ("merged = label.copy()", "merged = label.astype(float)", "merge"),
    "no such cluster": ("merged = label.copy()", "merged = label + 1", "merge"),
    "no bytes": ("return merged, [0 if 0 in batches.mine else z.nbytes]", "return merged, 0", "merge"),
    "no distances": ("distances(own, seeds)", "distances(own)", "merge"),
    "no build": ("def build", "def builds", "mode"),
    "no sums": (".sum(0) for row", " for row", "mode"),
    "no numbers": ("entries.nbytes", "None", "mode"),
    "no holds": ("return 8 * shape[0] * shape[1]", "return None", "mode"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_none_is_one_line(case, path):
    old, new, key = WRONG[case]
    (path.parent / "mine.py").write_text(MINE.replace(old, new))
    with telling(InputError) as refusal:
        config.read(path)
    assert f".{key} = " in str(refusal.value)
