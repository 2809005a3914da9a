"""Bad input on the real command line: a sentence and a status, never a traceback, never a made-up number."""

import json
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from course.inference import Setup, onnx_runtime
from course.inference.artefacts import artefact
from course.inference.protocol import no_device
from course.measure.record import read
from course.measure.rehearsal import Measurement

COURSE = [sys.executable, "-c", "from course.command import main; main()", "measure"]
TINY = ["run", "--device", "cpu", "--model", "tiny", "--quick", "--rounds", "1"]


@pytest.fixture
def course(tmp_path):
    """Runs `course measure` in a process of its own; returns status and all that it said."""
    own = {"COURSE_BUILD": str(tmp_path / "build"), "COURSE_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "500"}

    def call(*arguments, **environment):
        command = [*COURSE, *map(str, arguments)]
        done = subprocess.run(command, env=os.environ | own | environment, capture_output=True, text=True)
        said = done.stdout + done.stderr
        assert "Traceback" not in said
        return done.returncode, said

    return call


def test_no_gpu(course):
    if not no_device("cuda"):
        pytest.skip("there is a GPU here")
    status, said = course("run", "--device", "cuda", "--quick")
    assert status == 1 and "eager cannot run here: No CUDA device is visible" in said


def test_too_little_memory_is_said_with_the_bytes_before_anything_is_loaded(course):
    options = ["--scenario", "offline", "--batches", "100000", "--prompt", "2000"]
    status, said = course("run", "--device", "cpu", "--model", "llama-8b", "--backends", "eager", *options)
    assert status == 1 and "eager with llama-8b needs " in said and " bytes, and " in said and "on cpu" in said


def test_heads_that_do_not_divide(course):
    status, said = course("run", "--device", "cpu", "--backends", "sdpa,tensor-parallel", "--shards", "2", "--quick")
    assert status == 1
    assert "2 processes cannot share 9 heads of queries and 3 heads of keys evenly. Try 1 or 3 processes." in said


def test_one_shard_is_no_tensor_parallelism_of_deepspeed(course):
    status, said = course(*TINY, "--backends", "eager,deepspeed", "--shards", "1")
    assert status == 1 and "With one process DeepSpeed's AutoTP changes nothing" in said


def test_a_port_in_use_leaves_that_variant_out(course, tmp_path):
    """The others are measured and kept; the status says that not all is there."""
    path = tmp_path / "record.json"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = course(*TINY, "--backends", "eager,tensor-parallel", "--port", port, "-o", path)
    assert status == 1 and f"Port {port} for the process group cannot be had: Address already in use." in said
    assert [variant.name for variant in read(path).variants] == ["eager"] and len(read(path).faults) == 1


@pytest.mark.parametrize("port", ["0", "70000", "-1"])
def test_no_such_port(course, port):
    status, said = course(*TINY, "--backends", "tensor-parallel", "--port", port)
    assert status == 1 and "This cannot be measured: port" in said


def test_an_export_that_fails_leaves_that_variant_out(course, tmp_path, monkeypatch):
    """A kept graph that is damaged cannot be fused, and cannot be run."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "data"))
    kind = onnx_runtime._kind(Setup(model="tiny"), "plain")
    artefact(
        Setup(model="tiny"),
        kind,
        onnx_runtime.PACKAGES,
        lambda folder: (folder / "model.onnx").write_bytes(b"\x07no graph"),
    )
    path = tmp_path / "record.json"
    status, said = course(*TINY, "--backends", "eager,onnx,onnx-fused", "-o", path)
    assert status == 1 and "onnx-fused: The ONNX export of tiny (fuse) failed" in said
    assert "onnx: ONNX Runtime cannot load" in said and "Remove that folder" in said
    assert [variant.name for variant in read(path).variants] == ["eager"]


def test_a_cache_that_cannot_be_made(course, tmp_path):
    (tmp_path / "file").write_text("")
    status, said = course(*TINY, "--backends", "eager,onnx", COURSE_DATA_DIR=str(tmp_path / "file" / "data"))
    assert status == 1 and "where exported models are kept, cannot be made" in said


def test_a_baseline_that_cannot_be_had_ends_the_run(course, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, said = course(*TINY, "--backends", "tensor-parallel", "--port", port)
    assert status == 1 and "None of tensor-parallel could be loaded. tensor-parallel: Port " in said
    assert not list(tmp_path.rglob("tiny-*.json"))


@pytest.fixture
def handed_in(tmp_path):
    """A record for a lab."""
    path = tmp_path / "record.json"
    made = Measurement(0).record().model_copy(update={"lab": "lab10", "nonce": "given"})
    made.write(path)
    return path


def test_a_good_record_is_accepted(course, handed_in):
    assert course("verify", handed_in, "--lab", "lab10", "--nonce", "given")[0] == 0


def test_an_edited_record(course, handed_in):
    content = json.loads(handed_in.read_text())
    content["trials"][40]["timings"][1]["seconds"] /= 3
    handed_in.write_text(json.dumps(content))
    status, said = course("verify", handed_in, "--lab", "lab10")
    assert status == 1 and "was changed after it was written" in said


def test_a_record_from_another_lab_and_with_another_nonce(course, handed_in):
    status, said = course("verify", handed_in, "--lab", "lab05-ctc")
    assert status == 1 and "is of the lab 'lab10', and one of the lab 'lab05-ctc' was expected" in said
    status, said = course("verify", handed_in, "--lab", "lab10", "--nonce", "another")
    assert status == 1 and "measure again with it" in said


def test_a_record_from_the_future(course, handed_in):
    late = read(handed_in).model_copy(update={"created": datetime.now(UTC) + timedelta(days=2)})
    late.write(handed_in)
    status, said = course("verify", handed_in, "--lab", "lab10")
    assert status == 1 and "set the clock of the machine that measures" in said


def test_no_record_at_all(course, tmp_path):
    for path, words in ((tmp_path, "cannot be read"), (Path("nowhere.json"), "cannot be read")):
        status, said = course("verify", path)
        assert status in (1, 2) and (words in said or "is a directory" in said)
