"""What a user may get wrong on the command line: one clear line, the right exit code, nothing half done."""

import os

import pytest
from inside import mpiflow as inside

from jobs import JOBS, mpiflow, small
from mpiflow import dataset
from mpiflow.state.load import read


def refused(done, *words):
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_missing_run_file_is_named_once_by_all_ranks(tmp_path):
    refused(mpiflow("run", tmp_path / "absent.toml", ranks=2), "absent.toml")


def test_mistakes_in_the_run_file_leave_no_folder(tmp_path):
    config = small(tmp_path)
    refused(mpiflow("run", config, "-o", tmp_path / "run", "--set", "flow.dt=-1", ranks=2), "flow.dt = -1")
    refused(mpiflow("run", config, "-o", tmp_path / "run", "--set", "clusters.count=400"), "clusters.count = 400", "70")
    assert not (tmp_path / "run").exists()


def test_a_conifold_is_refused(tmp_path):
    words = ("--set", "manifold.family=dwork", "--set", "manifold.psi=1")
    refused(mpiflow("run", small(tmp_path), "-o", tmp_path / "run", *words, ranks=2), "manifold.psi = 1.0")


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/version"), reason="needs a read-only place")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    # Root may write anywhere but into the kernel's own file systems.
    where = "/proc/mpiflow" if os.geteuid() == 0 else tmp_path / "locked"
    if os.geteuid():
        where.mkdir(mode=0o500)
    refused(mpiflow("run", small(tmp_path), "-o", where, ranks=2), str(where), "-o")


def test_a_place_that_is_no_runs_own_is_refused(tmp_path):
    config, home = small(tmp_path), tmp_path / "home"
    (home / "some").mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    places = {"/": "the root of a file system", home: "your home", "~": "your home", tmp_path / "link": "your home"}
    for command in ("run", "tune"):
        for place, said in places.items():
            done = inside([command, str(config), "-o", str(place)], tmp_path, {"HOME": str(home)})
            refused(done, f"is {said}", "choose a folder in it with -o")
    assert os.listdir(home) == ["some"] and not set(os.listdir("/")) & {"run.toml", "run.lock", "workers"}
    words = ["--set", "flow.steps=0", "-o", "~/runs/x"]
    assert inside(["run", str(config), *words], tmp_path, {"HOME": str(home)}).returncode == 0
    assert (home / "runs" / "x" / "run.toml").exists()


@pytest.mark.parametrize("name", ["new\nline", "tab\tx", "esc\x1b[31mx", "x" * 300])
def test_a_strange_name_of_a_folder_is_never_shown_raw(name, tmp_path):
    done = inside(["run", str(small(tmp_path)), "--set", "flow.steps=0", "-o", f"runs/{name}"], tmp_path)
    assert done.returncode == (2 if len(name) > 255 else 0), done.stderr
    assert all(line.isprintable() for line in (done.stdout + done.stderr).splitlines())
    assert name not in done.stdout + done.stderr or len(name) > 255
    assert len(done.stderr.splitlines()) == (len(name) > 255)


def test_a_launcher_of_another_mpi_is_refused(tmp_path):
    # Open MPI's mpiexec sets this for each of the processes that it starts; here each would be alone.
    done = mpiflow("run", small(tmp_path), "-o", tmp_path / "run", env={"OMPI_COMM_WORLD_SIZE": "2"})
    refused(
        done,
        "Open MPI",
        "OMPI_COMM_WORLD_SIZE",
        "MPICH Version: ",
        "2 ranks",
        "bin/mpiexec",
    )
    done = mpiflow("run", small(tmp_path), env={"SLURM_STEP_NUM_TASKS": "4"})
    refused(done, "SLURM_STEP_NUM_TASKS", "4 ranks", "srun --mpi=pmi2")


def test_a_state_of_a_newer_format_is_refused(tmp_path, monkeypatch):
    from mpiflow.state import commit, schema

    config = small(tmp_path)
    assert mpiflow("run", config, "-o", tmp_path / "run", "--set", "flow.steps=1").returncode == 0
    state = read(sorted((tmp_path / "run").glob("state-*.h5"))[-1])
    monkeypatch.setattr(schema, "SCHEMA", schema.SCHEMA + 1)
    attributes = {name: value for name, value in state.attributes.items() if name not in ("schema", "step")}
    commit.write(tmp_path / "run", 2, state.arrays, attributes)
    refused(mpiflow("run", config, "-o", tmp_path / "run", ranks=2), "state-00000002.h5", "schema 2")


def test_inspection_of_what_is_not_a_run_is_refused(tmp_path):
    for command in ("info", "verify", "evaluate"):
        refused(mpiflow(command, tmp_path / "absent"), "absent")


def test_a_numerical_failure_names_the_point_and_exits_with_3(tmp_path):
    words = ("--set", "kernel.name=relu", "--set", "flow.dt=1e30", "--set", "flow.normalisation=sum")
    config = small(tmp_path)
    config.write_text(config.read_text().replace('name = "gaussian"\nwidth = 0.4', 'name = "relu"'))
    done = mpiflow("run", config, "-o", tmp_path / "run", *words, ranks=2)
    assert done.returncode == 3, done.stderr
    assert "flow.dt = 1e+30" in done.stderr and "train point" in done.stderr and "Traceback" not in done.stderr


def test_an_exception_on_one_rank_ends_all_with_its_traceback(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "if os.environ.get('PMI_RANK') == '1':\n"
        "    import mpiflow.losses\n"
        "    def broken(*rest): raise RuntimeError('a fault on one rank')\n"
        "    mpiflow.losses.slope = broken\n"
    )
    done = mpiflow(
        "run", small(tmp_path), "-o", tmp_path / "run", ranks=3, timeout=30, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode not in (0, 75, 255)
    assert "rank 1 of 3" in done.stderr and "a fault on one rank" in done.stderr and "Traceback" in done.stderr


def test_an_exit_on_one_rank_ends_all(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "if os.environ.get('PMI_RANK') == '1':\n"
        "    import mpiflow.losses, sys\n"
        "    mpiflow.losses.slope = lambda *rest: sys.exit(9)\n"
    )
    done = mpiflow(
        "run", small(tmp_path), "-o", tmp_path / "run", ranks=3, timeout=30, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 9
    assert "rank 1 of 3" in done.stderr


def test_help_teaches():
    top = mpiflow("--help")
    assert top.returncode == 0 and "quickstart.toml" in top.stdout and "75" in top.stdout
    for command in ("run", "evaluate", "info", "verify"):
        assert mpiflow(command, "--help").returncode == 0
    assert (JOBS / "quickstart.toml").exists()


UNFIT = {
    "more features than points": (JOBS / "kaehler.toml", "kernel.degree=24", "1427"),
    "far more": (JOBS / "kaehler.toml", "kernel.degree=40", "22390"),
    "more memory than there is": (JOBS / "random-quintic.toml", "kernel.degree=40", "kernel.degree = 40"),
    "more points than fit": (JOBS / "exact-100k.toml", "points.train=20000000000", "points.train = 20000000000"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_a_plan_refuses_a_run_refuses_as_soon_and_in_the_same_words(tmp_path, case, monkeypatch):
    job, key, fact = UNFIT[case]
    monkeypatch.setattr(dataset, "train_points", lambda *_: pytest.fail("points are drawn before it is refused"))
    ran = inside(["run", str(job), "-o", "run", "--set", key], tmp_path)
    refused(ran, "points.train = ", fact)
    assert not (tmp_path / "run").exists()
    assert inside(["plan", str(job), "--set", key], tmp_path).stderr == ran.stderr


#: Refused when the folder is made already: by the points file, by the flow that is built.
LATE = {
    "points.file='absent.npz'": "/absent.npz'",
    "engine.mode=neighbours": 'engine.mode = "neighbours"',
}


@pytest.mark.parametrize("there", ["", "run", "run/mine.txt"])
@pytest.mark.parametrize("key", LATE)
def test_a_refused_run_leaves_all_as_it_was(tmp_path, key, there):
    small(tmp_path)
    if there:
        (tmp_path / "run").mkdir()
    if there.endswith("txt"):
        (tmp_path / there).write_text("of the user's")
    before = sorted(tmp_path.rglob("*"))
    refused(inside(["run", "small.toml", "-o", "run", "--set", "kernel.width=9", "--set", key], tmp_path), LATE[key])
    assert sorted(tmp_path.rglob("*")) == before
