"""Exact: a run that is killed again and again loses nothing and ends in the same bytes.

Apart from the other faults, since it takes as long as all of them.
"""

import pytest
from test_faults import assert_survived

from benchmarks import faults
from benchmarks.trials import Workshop


@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_kills_at_random_moments_of_one_run(tmp_path, kills):
    tried = faults.killed(Workshop(tmp_path), faults.LONG, kills)
    assert_survived(tried, kills)
    assert tried.facts["kills_after_new_blocks"] > kills / 4
    assert tried.facts["seconds_unbroken"] > 10  # 42 where it was written; others may be faster
