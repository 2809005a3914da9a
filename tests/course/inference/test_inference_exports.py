"""The backends that read an exported model: ONNX Runtime and onnxruntime-genai, with one export of the tiny model."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from course import processor
from course.errors import CourseError
from course.inference import BACKENDS, Setup, available, create, onnx_int8, onnx_runtime
from course.inference.artefacts import artefact
from course.inference.parity import measure, require

SHAPE = {"model": "tiny", "batch": 2, "length": 40}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def reference():
    with create("transformers-eager", **SHAPE) as backend:
        yield backend


@pytest.fixture(scope="module")
def tokens():
    return torch.randint(0, 512, (2, 20), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", ["onnx", "onnx-fused", "onnx-int8", "onnx-int8-rows", "onnx-int8-blocks"])
def test_parity(name, reference, tokens):
    if reason := available("cpu")[name]:
        pytest.skip(reason)
    factory = BACKENDS[name].find()
    with create(name, **SHAPE, threads=1) as backend:
        assert factory.exported_before(Setup(**SHAPE)) and not factory.exported_before(Setup(**SHAPE, seed=1))
        parity = require(measure(reference, backend, tokens, n_prompt=9, n_new=4), backend.arithmetic)
        assert backend.cached == 0
    if backend.arithmetic == "float32":
        assert parity.tokens == 1.0


@pytest.mark.parametrize("name", ["onnx-fused", "onnx-int8", "onnx-int8-rows", "onnx-int8-blocks"])
def test_parity_of_the_graphs_for_one_sequence(name, tokens):
    """They have attention as one operator, which is no other computation."""
    shape = {**SHAPE, "batch": 1}
    with create("sdpa", **shape) as reference, create(name, **shape, threads=1) as backend:
        parity = require(measure(reference, backend, tokens[:1], n_prompt=9, n_new=4), backend.arithmetic)
    assert parity.tokens == 1.0
    fused = onnx.load(onnx_runtime.exported(Setup(**shape), "fused") / onnx_runtime.GRAPH, load_external_data=False)
    assert sum(node.op_type == "GroupQueryAttention" for node in fused.graph.node) == Setup(**shape).config.n_layers


@pytest.fixture
def by_rows(tmp_path):
    """A function that makes a graph of one product and runs it: activations, weights (n_in, n_out), bits."""

    def run(monkeypatch, activations, weights, bits):
        monkeypatch.setattr(onnx_int8, "weight_bits", lambda: bits)
        tensor, f32 = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["x", "w"], ["z"], "product"), onnx.helper.make_node("Neg", ["z"], ["y"])],
            "one product",
            [tensor("x", f32, list(activations.shape))],
            [tensor("y", f32, [*activations.shape[:-1], weights.shape[1]])],
            [onnx.numpy_helper.from_array(weights, "w")],
        )
        opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
        onnx_int8.by_rows(graph, ["product"])
        path = tmp_path / "product.onnx"
        onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return -session.run(None, {"x": activations})[0]

    return run


@pytest.mark.parametrize("bits", [7, 8])
def test_a_product_by_rows_is_that_of_the_rounded_numbers(monkeypatch, by_rows, bits):
    """In float64 by hand. One token is huge, which costs the others nothing, and one is silent."""
    rng = np.random.default_rng(bits)
    x, w = rng.normal(size=(2, 5, 64)).astype(np.float32), rng.normal(size=(64, 7)).astype(np.float32)
    x[0, 0] *= 1e4
    x[1, 2] = 0.0
    row = np.maximum(np.abs(x).max(-1, keepdims=True), 1e-12).astype(np.float64) / 127
    column = np.abs(w).max(0).astype(np.float64) / (2 ** (bits - 1) - 1)
    wanted = (np.rint(x / row) * row) @ (np.rint(w / column) * column)
    found = by_rows(monkeypatch, x, w, bits)
    if bits == 7:  # with 8, a processor without VNNI cuts sums
        np.testing.assert_allclose(found, wanted, rtol=2e-2, atol=2e-2 * np.abs(wanted).max(-1, keepdims=True).min())
    assert np.all(found[1, 2] == 0) and np.linalg.norm(found - x @ w) < 0.05 * np.linalg.norm(x @ w)
    quiet = np.linalg.norm(found[0, 1:] - (x @ w)[0, 1:]) / np.linalg.norm((x @ w)[0, 1:])
    assert quiet < 0.05


def test_seven_bits_are_exact_where_eight_would_be_cut(monkeypatch, by_rows):
    """The largest products there are: 255 times the largest weight, all of one sign."""
    x, w = np.ones((1, 1, 64), np.float32), np.ones((64, 4), np.float32)
    np.testing.assert_allclose(by_rows(monkeypatch, x, w, 7), 64.0, rtol=1e-5)
    if not processor.saturates(processor.about()):
        np.testing.assert_allclose(by_rows(monkeypatch, x, w, 8), 64.0, rtol=1e-5)


@pytest.mark.parametrize(("bits", "largest"), [(8, 127), (7, 63)])
def test_a_matrix_by_outputs_is_within_half_a_step(bits, largest):
    matrix = np.random.default_rng(1).normal(size=(40, 6)).astype(np.float32) * np.array([1e-6, 1, 3, 100, 0, 7])
    codes, scales = onnx_int8.rounded_outputs(matrix, bits)
    assert codes.dtype == np.int8 and np.abs(codes).max() == largest
    assert np.all(np.abs(codes * scales - matrix) <= 0.5 * scales * (1 + 1e-4))


def test_by_rows_the_head_and_what_attention_compares_stay_in_blocks():
    layers = Setup(**SHAPE).config.n_layers
    for batch in (1, 2):
        graph = onnx.load(onnx_runtime.exported(Setup(**{**SHAPE, "batch": batch}), "int8-rows") / onnx_runtime.GRAPH)
        counts = Counter(node.op_type for node in graph.graph.node)
        assert counts["MatMulIntegerToFloat"] == 3 * layers, "attention's output, gate and up, down"
        assert counts["MatMulNBits"] == layers + 1, "queries, keys and values in one, and the head"


def test_graphs_in_bytes_are_kept_by_the_bits_that_the_processor_allows(monkeypatch):
    def folder(bits, variant):
        monkeypatch.setattr(onnx_int8, "weight_bits", lambda: bits)
        return onnx_runtime._kind(Setup(**SHAPE), variant)

    assert folder(7, "int8") != folder(8, "int8") and folder(7, "int8-rows") != folder(8, "int8-rows")
    assert folder(7, "int8-blocks") == folder(8, "int8-blocks")


def test_a_prompt_of_one_token_and_a_full_cache():
    shape = {**SHAPE, "batch": 1, "length": 3}
    with create("sdpa", **shape) as reference, create("onnx-fused", **shape) as backend:
        require(measure(reference, backend, torch.tensor([[1, 2, 3]]), n_prompt=1), "float32")


def test_four_bits_one_sequence(tokens):
    shape = {**SHAPE, "batch": 1}
    if reason := available("cpu", **{**shape, "model": "tiny"})["genai-int4"]:
        pytest.skip(reason)
    with create("sdpa", **shape) as reference, create("genai-int4", **shape, threads=1) as backend:
        parity = require(measure(reference, backend, tokens[:1], n_prompt=9, n_new=4), "int4")
    assert parity.rel_l2 > 1e-3, "four bits cannot be exact"
    assert "one sequence at a time; batch=2" in available("cpu", **SHAPE)["genai-int4"]


def test_the_exported_graph_computes_a_row_for_each_token_of_the_prompt_and_the_fused_ones_the_last():
    assert onnx_runtime.OnnxRuntime.logit_rows(None, 128) == 128
    assert onnx_runtime.OnnxInt8Blocks.logit_rows(None, 128) == 1


def test_an_export_that_fails_is_one_sentence_and_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))

    def break_down(setup, attention="sdpa"):
        raise RuntimeError("an operator without a translation\nand much more")

    monkeypatch.setattr("course.inference.models.load_transformers", break_down)
    with pytest.raises(
        CourseError, match="^The ONNX export of tiny .export. failed: an operator without a translation"
    ):
        create("onnx", **SHAPE)
    assert [path.suffix for path in (tmp_path / "inference").iterdir()] == [".lock"]


def test_a_damaged_graph_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(onnx_runtime, "export", lambda setup, folder: (folder / "model.onnx").write_bytes(b"\x07"))
    with pytest.raises(CourseError, match="^ONNX Runtime cannot load .* Remove that folder to export it again.$"):
        create("onnx", **SHAPE)


def test_a_cache_that_cannot_be_made_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(CourseError, match="cannot be made: Not a directory. Set COURSE_DATA_DIR"):
        artefact(Setup(**SHAPE), "thing", ["torch"], lambda folder: None)


def test_an_unknown_variant_is_refused():
    with pytest.raises(CourseError, match="come as plain, fused, int8, int8-rows, int8-blocks; 'int3' is none"):
        onnx_runtime.exported(Setup(**SHAPE), "int3")


def test_onnx_runtime_on_a_cpu_is_float32():
    assert "are in float32 here, or in float16 on a GPU" in available("cpu", dtype="bfloat16")["onnx"]


def test_artefacts_are_made_once_and_named_by_what_went_in(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    made = []

    def make(folder):
        made.append(folder)
        (folder / "file").write_text("x")

    first = artefact(Setup(**SHAPE), "thing", ["torch"], make)
    assert artefact(Setup(**SHAPE), "thing", ["torch"], make) == first
    assert (first / "file").read_text() == "x"
    assert artefact(Setup(**SHAPE, seed=1), "thing", ["torch"], make) != first
    assert artefact(Setup(**{**SHAPE, "batch": 5}), "thing", ["torch"], make) == first
    assert len(made) == 2


def test_what_a_killed_maker_left_is_removed(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    left = []

    def killed(folder):
        (folder / "half").write_text("x")
        left.append(folder.parent)
        shutil.copytree(folder.parent, f"{folder.parent}-and-killed")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        artefact(Setup(**SHAPE), "thing", ["torch"], killed)
    assert Path(f"{left[0]}-and-killed").is_dir()
    made = artefact(Setup(**SHAPE), "thing", ["torch"], lambda folder: (folder / "whole").write_text("y"))
    assert [path.name for path in made.iterdir()] == ["whole"]
    assert not Path(f"{left[0]}-and-killed").exists()
