"""A network goes on from any epoch, on any number of ranks, as if nothing had happened."""

from inside import mpiflow as inside

from jobs import mpiflow, result

JOB = """
[run]
precision = "float32"
[points]
train = 330
test = 100
[network]
kind = "multiplicative"
width = 16
depth = 2
batch = 128
decay = 0.9
[flow]
steps = 5
dt = 1e-2
loss = "sigma"
"""


def test_resumed_is_uninterrupted_on_other_rank_counts(tmp_path):
    job = tmp_path / "network.toml"
    job.write_text(JOB)
    done = inside("run network.toml -o whole", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "multiplicative network of 601 parameters" in done.stdout and "Kaehler defect" in done.stdout
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "STOP").write_text("2")
    stopped = mpiflow("run", job, "-o", tmp_path / "parts", ranks=3)
    assert stopped.returncode == 75 and "stopped after step 2" in stopped.stdout, stopped.stderr
    assert mpiflow("run", job, "-o", tmp_path / "parts", ranks=2).returncode == 0
    expected, found = result(tmp_path / "whole"), result(tmp_path / "parts")
    assert "network/adam_variance" in expected
    assert [name for name in expected if found[name] != expected[name]] == []
    shown = inside("evaluate parts --points 50 --json", tmp_path)
    assert shown.returncode == 0 and '"defect"' in shown.stdout
    apart = mpiflow("compare", tmp_path / "whole", tmp_path / "parts", "--points", 50, "--json", ranks=2)
    assert apart.returncode == 0 and '"mean": 0.0, "largest": 0.0' in apart.stdout
