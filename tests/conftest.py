"""What all tests share: four CPU devices, and small sweeps that are trained once."""

import shutil
from pathlib import Path

import jax
import pytest
import samples
from hypothesis import settings

from jaxlab import Result, chunks, run

# Before anything starts a backend: the tests of device counts need up to four devices.
jax.config.update("jax_num_cpu_devices", 4)


@pytest.fixture(scope="session")
def small_result() -> Result:
    """Two settings of one program, 40 seeds each."""
    return run(samples.sweep(), 40, lane_width=samples.LANES)


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> Path:
    """Return a folder written by one run from beginning to end."""
    folder = tmp_path_factory.mktemp("whole") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK", 20)
        samples.trained(folder)
    return folder


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


# No time limit for an example: the first one of a test compiles.
settings.register_profile("compiling", deadline=None)
settings.load_profile("compiling")
