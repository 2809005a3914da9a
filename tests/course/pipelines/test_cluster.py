"""The pipeline on a Dask cluster: the bytes of the loop, also when a worker dies on the way."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from distributed import Client

from course.errors import CourseError
from course.pipelines import cluster
from course.pipelines.made_up import write_raw
from course.pipelines.pipeline import run
from course.pipelines.stages import Settings

SETTINGS = Settings(shards=2, validation=0.2, test=0.2)


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("raw")
    write_raw(folder, 16, n_files=3)
    return f"{folder}/*.jsonl"


@pytest.fixture(scope="module")
def address():
    with cluster.started(2) as address:
        yield address


def test_a_worker_dies_and_the_bytes_are_those_of_the_loop(address, raw, tmp_path):
    plain, spread, failed = tmp_path / "plain", tmp_path / "cluster", []

    def make():
        try:
            run([raw], str(spread), SETTINGS, "cluster", 2, [f"--scheduler={address}"])
        except Exception as error:
            failed.append(error)

    run([raw], str(plain), SETTINGS)
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=120)
        before = client.run(os.getpid)
        running = threading.Thread(target=make)
        running.start()
        held = []
        while running.is_alive() and not held:
            held = [worker for worker, keys in client.has_what().items() if keys]
            time.sleep(0.01)
        os.kill(before[held[0]], signal.SIGKILL)
        assert running.is_alive(), "the worker died while it held what it had computed"
        running.join(120)
        client.wait_for_workers(2, timeout=120)
        assert before[held[0]] not in client.run(os.getpid).values()
    assert not failed and files(spread) == files(plain)


def test_a_run_starts_its_own_cluster_and_ends_it(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    outcome = run([f"{tmp_path}/empty.jsonl"], str(tmp_path / "out"), SETTINGS, "cluster", 1)
    assert outcome.ran and outcome.manifest.shards == () and outcome.manifest.counts == {}
    run([f"{tmp_path}/empty.jsonl"], str(tmp_path / "plain"), SETTINGS)
    assert files(tmp_path / "out") == files(tmp_path / "plain")


def test_bad_options_are_one_sentence(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "START_SECONDS", 0.5)
    with pytest.raises(CourseError, match="--scheduler=ADDRESS"):
        run([raw], str(tmp_path), SETTINGS, "cluster", 1, ["--region=x"])
    with pytest.raises(CourseError, match="No Dask scheduler answers"):
        run([raw], str(tmp_path), SETTINGS, "cluster", 1, ["--scheduler=tcp://127.0.0.1:9"])
    with pytest.raises(ValueError, match="At least one worker"), cluster.started(0):
        pass
