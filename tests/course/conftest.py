import numpy as np
import pytest
from hypothesis import settings

# The same examples in each run, and none that fails because the machine is busy.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in each run."""
    return np.random.default_rng(2026)
