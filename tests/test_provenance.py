"""Exact: where results come from."""

import doctest
import shutil
import subprocess

import pytest

from jaxlab import provenance, records


def test_the_examples_in_the_docstrings_are_right():
    assert doctest.testmod(provenance).attempted >= 1
    assert doctest.testmod(provenance).failed == 0


def test_a_fingerprint_names_versions_and_machine():
    found = provenance.fingerprint()
    assert set(found) > {*provenance.PACKAGES, "backend", "device", "cpu_features", "xla_flags"}
    assert all(isinstance(value, str) for value in found.values())
    assert found == provenance.fingerprint()


def test_fingerprints_that_differ_have_other_short_names_and_the_difference_is_told():
    one = provenance.fingerprint()
    other = one | {"jax": "0.0.1", "xla_flags": "--some"}
    assert provenance.short(one) != provenance.short(other)
    assert provenance.short(one) == provenance.short(dict(reversed(one.items())))
    said = provenance.differences(other, one)
    assert said == f"jax 0.0.1, now {one['jax']}, xla_flags --some, now none"
    assert provenance.differences(one, one) == ""


def test_the_xla_flags_are_part_of_it(monkeypatch):
    before = provenance.fingerprint()
    monkeypatch.setenv("XLA_FLAGS", "--xla_something")
    assert provenance.differences(before, provenance.fingerprint()).startswith("xla_flags ")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_the_commit_is_that_of_a_checkout_that_tracks_jaxlab(tmp_path, monkeypatch):
    def git(*words: str) -> str:
        own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        line = ["git", "-C", str(tmp_path), *own, *words]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout

    monkeypatch.setattr(records, "HERE", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.git_commit() == ""
    (tmp_path / "records.py").write_text("")
    git("init", "-q")
    assert records.git_commit() == ""  # somebody's repository, which does not track jaxlab
    git("add", "records.py")
    git("commit", "-qm", "one")
    head = git("rev-parse", "HEAD").strip()
    assert records.git_commit() == head
    (tmp_path / "records.py").write_text("changed")
    assert records.git_commit() == f"{head}-dirty"


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert records.git_commit() == ""


def test_memory_is_that_of_this_process():
    before = records.peak_memory()
    taken = bytearray(300 * 2**20)
    taken[::4096] = b"x" * len(taken[::4096])
    after = records.peak_memory()
    assert before is not None
    assert after is not None
    assert 50 < before <= after
    assert after >= 300
