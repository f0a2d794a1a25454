"""All figures and their page: resumed, told apart by seed, with the paper's numbers and a verdict on each."""

import json

import pytest
from facts import telling

from mpiflow.comm import Comm
from mpiflow.errors import InputError
from mpiflow.paper import claims, distance, everything, page, record, registry
from mpiflow.paper.claims import Claim, verdict


@pytest.fixture
def two_figures(monkeypatch):
    kept = {name: registry.titles()[name] for name in ("delta", "distance")}
    monkeypatch.setattr(registry, "titles", lambda: kept)


def claim(ours, because=""):
    return Claim("a number", "5", ours, 4.0, 6.0, because)


def test_a_verdict_is_on_the_mean_over_seeds():
    found = verdict([claim(3.9), claim(4.5), claim(5.1)])
    assert found.agrees and found.ours == pytest.approx(4.5) and found.spread == pytest.approx(0.6)
    assert verdict([claim(7.0, "of a reason")]).text == "differs: of a reason"
    assert verdict([claim(7.0)]).spread is None


def test_near_is_relative_or_absolute():
    assert verdict([claims.near("", 0.968, 0.93)]).agrees and not verdict([claims.near("", 0.968, 0.91)]).agrees
    assert not verdict([claims.near("", -0.184, -0.195, within=0.01)]).agrees


def test_all_figures_are_made_once_and_shown(two_figures, tmp_path, monkeypatch):
    said = []
    assert not everything.make(Comm(), tmp_path, "10000", 2, said.append)
    path, parts = page.write(tmp_path)
    assert [part.name for part in parts] == ["delta", "distance"]
    assert all(part.seeds == [1, 2] and part.picture and part.verdicts for part in parts)
    text = path.read_text()
    assert "0.968" in text and "prefactor" in text and text.count("data:image/png") == 2
    monkeypatch.setattr(distance, "run", pytest.fail)
    said.clear()
    assert not everything.make(Comm(), tmp_path, "10000", 2, said.append)
    assert all(line.endswith("is there") for line in said) and len(said) == 4


def test_a_figure_is_the_same_twice_and_another_with_another_seed(tmp_path):
    def rows(folder, seed):
        record.made(Comm(), registry.figure(Comm(), "distance"), tmp_path / folder, 10_000, seed, lambda line: None)
        return json.loads((tmp_path / folder / "distance.json").read_text())["rows"]

    assert rows("first", 1) == rows("again", 1) != rows("other", 2)


def test_a_figure_that_fails_is_told_and_the_others_go_on(two_figures, tmp_path, monkeypatch):
    def failing(*_):
        raise InputError("a planned failure")

    monkeypatch.setattr(distance, "run", failing)
    failed = everything.make(Comm(), tmp_path, "10000", 1, lambda line: None)
    assert failed == ["distance, seed 1: a planned failure"]
    assert [part.name for part in page.write(tmp_path)[1]] == ["delta"]


def test_a_torn_record_is_made_again(tmp_path):
    (tmp_path / "distance.json").write_text('{"name": "dist')
    assert record.read(tmp_path / "distance.json") is None


def test_a_folder_without_figures_is_refused(tmp_path):
    with telling(InputError, f"paper report {tmp_path}", f"`mpiflow paper all -o {tmp_path}`"):
        page.write(tmp_path)
