"""Exact: every look at results is recorded once, and several are said."""

import samples

from jaxlab import looks


def test_looks_are_counted(tmp_path):
    for seeds, words in ((20, ""), (20, ""), (30, "looked at 2 times, with 20, 30 seeds")):
        found = samples.trained(tmp_path / "small", seeds=seeds)
        said = looks.record(tmp_path / "small", 0, found)
        assert words in said
        assert bool(said) == bool(words)
