"""The bench lab, and a folder to measure in that is prepared once."""

from pathlib import Path

import pytest

from autograder.bench.classes import Bench, bench_lab


@pytest.fixture(scope="session")
def torch_lab():
    return bench_lab()


@pytest.fixture(scope="session")
def prepared(torch_lab, tmp_path_factory):
    """A bench with its kit, its release for nbgrader and its empty gradebook."""
    bench = Bench(Path(tmp_path_factory.mktemp("bench")), torch_lab)
    bench.prepare()
    return bench
