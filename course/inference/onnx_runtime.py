"""The model as an ONNX graph, run by ONNX Runtime (Lecture 11).

transformers' exporter (experimental in 5.23, hence pinned) traces one graph that takes any number of tokens behind any
number of cached ones. It is exported once, in two minutes for SmolLM2, and kept; fused and quantized variants are made
from the kept graph in seconds. The graph computes a row of logits for every token of a prompt, where PyTorch computes
one: `OnnxRuntime.logit_rows` says so, and the operations are counted accordingly.
"""

from pathlib import Path

import numpy as np
import torch

from course.errors import CourseError
from course.inference import models
from course.inference.artefacts import artefact
from course.inference.protocol import Backend, Setup
from course.inference.quiet import quiet

PACKAGES = ("torch", "transformers", "onnxruntime")
GRAPH = "model.onnx"
BLOCK = 32
SAMPLE = (2, 7)  # batch and tokens of the traced example: neither 1 nor equal, which would fix an axis for ever


def exported(setup: Setup, variant: str) -> Path:
    """The folder with ``model.onnx`` for a variant, exported at the first call.

    Args:
        setup: the model, its dtype, and the device that fusions are for.
        variant: "plain", "fused", "int8" (fused; each matrix has a scale for each output, each activation one for all
            its values) or "int8-blocks" (fused; a scale for each block of `BLOCK` weights or values).

    Raises:
        CourseError: the exporter failed, with its last words.
    """
    provider = setup.device.partition(":")[0]
    makers = {
        "plain": ("onnx-plain", export),
        "fused": (f"onnx-fused-{provider}", fuse),
        "int8": (f"onnx-int8-{provider}", quantize),
        "int8-blocks": (f"onnx-int8-blocks-{provider}", quantize_blocks),
    }
    if variant not in makers:
        raise CourseError(f"ONNX graphs come as {', '.join(makers)}; {variant!r} is none of them.")
    kind, make = makers[variant]
    return artefact(setup, kind, PACKAGES, lambda folder: _made(make, setup, folder))


def export(setup: Setup, folder: Path) -> None:
    """Trace the model with a sample, and write the graph."""
    from transformers.exporters import OnnxConfig, OnnxExporter
    from transformers.exporters.utils import decompose_for_generation

    model = models.load_transformers(setup)
    tokens = torch.arange(1, 1 + SAMPLE[0] * SAMPLE[1], device=setup.device).reshape(SAMPLE)
    sample = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    step, inputs = decompose_for_generation(model, sample, multi_token_decode=True)["decode"]
    OnnxExporter().export(step, inputs, config=OnnxConfig(dynamic=True)).save_pretrained(folder)


def fuse(setup: Setup, folder: Path) -> None:
    """Replace patterns of the plain graph by ONNX Runtime's own operators: attention, norms, rotary embedding."""
    import onnx_ir
    from transformers.exporters.onnxruntime_fusions import fuse_for_onnxruntime

    graph = onnx_ir.load(exported(setup, "plain") / GRAPH)
    fuse_for_onnxruntime(graph, setup.device.partition(":")[0])
    onnx_ir.save(graph, folder / GRAPH, external_data=f"{GRAPH}.data")


def quantize(setup: Setup, folder: Path) -> None:
    """Round the fused graph's weights to int8, each output with its scale."""
    import onnx_ir
    from transformers.exporters import OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer
    from transformers.exporters.configs import ExportFormat

    graph = onnx_ir.load(exported(setup, "fused") / GRAPH)
    quantizer = OnnxRuntimeQuantizer(OnnxRuntimeDynamicConfig(per_channel=True))
    onnx_ir.save(quantizer.quantize(graph, {}, ExportFormat.ONNX), folder / GRAPH, external_data=f"{GRAPH}.data")


def quantize_blocks(setup: Setup, folder: Path) -> None:
    """Round the fused graph's weights to int8, each block of a column with its scale."""
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    graph = onnx.load(exported(setup, "fused") / GRAPH)
    _separate_head(graph.graph)
    how = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8)
    quantizer = MatMulNBitsQuantizer(graph, algo_config=how)
    quantizer.process()
    quantizer.model.save_model_to_file(str(folder / GRAPH), use_external_data_format=True)


def _separate_head(graph) -> None:
    """Give a product with a transposed matrix, the tied output matrix, a copy of its own, which can be quantized."""
    from onnx import helper, numpy_helper

    weights = {one.name: one for one in graph.initializer}
    for node in graph.node:
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        transposed = node.op_type == "FusedMatMul" and attributes == {"transB": 1}
        if transposed and node.input[1] in weights:
            matrix = numpy_helper.to_array(weights[node.input[1]])
            graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(matrix.T), f"{node.input[1]}.turned"))
            turned = helper.make_node("MatMul", [node.input[0], f"{node.input[1]}.turned"], node.output, node.name)
            node.CopyFrom(turned)


def _made(make, setup: Setup, folder: Path) -> None:
    """Run a maker without its chatter; if it fails, raise one sentence."""
    try:
        with quiet():
            make(setup, folder)
    except CourseError:
        raise
    except Exception as error:  # exporters raise whatever the layer below them raised
        last = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CourseError(
            f"The ONNX export of {setup.model} ({make.__name__}) failed: {last} "
            "Use another backend for this model, such as sdpa or compiled."
        ) from error


class OnnxRuntime(Backend):
    """The exported graph as it is; ONNX Runtime optimizes it while loading.

    Keys and values stay on the device between calls: what one call gives is bound as the next one's input.
    """

    name, variant = "onnx", "plain"

    def __init__(self, setup: Setup):
        super().__init__(setup)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if setup.threads is not None:
            options.intra_op_num_threads = options.inter_op_num_threads = setup.threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            exported(setup, self.variant) / GRAPH, options, providers=_providers(self.device)
        )
        self.past = [one.name for one in self.session.get_inputs() if "past" in one.name]
        self.outputs = [one.name for one in self.session.get_outputs()]
        self.cache = {}

    @classmethod
    def missing(cls, setup: Setup) -> str:
        import onnxruntime

        if setup.dtype == "bfloat16" or (setup.dtype != "float32" and setup.device == "cpu"):
            return f"ONNX graphs are in float32 here, or in float16 on a GPU; {setup.dtype} was asked for."
        if setup.device.startswith("cuda") and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            return "This ONNX Runtime has no CUDA provider. Install onnxruntime-gpu in place of onnxruntime."
        return ""

    def logit_rows(self, n: int) -> int:
        """All of them: the graph does not know that one is asked for."""
        return n

    def _prefill(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._run(tokens)[:, -1]

    def _decode(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._run(tokens[:, None])[:, -1]

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._run(tokens)

    def _reset(self) -> None:
        self.cache = {}

    def close(self) -> None:
        """Let go of the session."""
        self.session, self.cache = None, {}

    def _use_threads(self, threads: int) -> None:
        """The session has threads of its own."""

    def _run(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits ``(batch, n, vocab)`` float32; the cache is exchanged for the one that comes back."""
        n, before = tokens.shape[1], self._cached
        positions = torch.arange(before, before + n).expand(tokens.shape[0], n)
        fed = {
            "input_ids": tokens,
            "position_ids": positions,
            "attention_mask": torch.ones(tokens.shape[0], before + n),
        }
        binding = self.session.io_binding()
        for one in self.session.get_inputs():
            if one.name in self.past:
                binding.bind_ortvalue_input(one.name, self.cache.get(one.name) or self._empty(one))
            else:
                binding.bind_cpu_input(one.name, np.ascontiguousarray(fed[one.name].cpu().numpy().astype(np.int64)))
        for name in self.outputs:
            binding.bind_output(name, self.device.type, self.device.index or 0)
        self.session.run_with_iobinding(binding)
        if self.device.type == "cuda":
            binding.synchronize_outputs()  # ONNX Runtime has a stream of its own, which PyTorch's does not wait for
        values = dict(zip(self.outputs, binding.get_outputs(), strict=True))
        logits = values.pop("logits")
        self.cache = dict(zip(self.past, values.values(), strict=True))
        return torch.from_dlpack(logits).float()

    def _empty(self, one):
        """A cache of no positions, in the form that an input of the graph asks for."""
        import onnxruntime

        kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[one.type]
        shape = (self.setup.batch, self.config.n_kv_heads, 0, self.config.head_dim)
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, kind))


class OnnxFused(OnnxRuntime):
    """The graph with ONNX Runtime's fused operators in place of the patterns that it knows."""

    name, variant = "onnx-fused", "fused"


class OnnxInt8(OnnxRuntime):
    """The fused graph with int8 weights, and activations rounded to int8 as they come, with one scale for all.

    One large value in an activation takes the others' precision: what that costs is for its parity to say.
    """

    name, variant, arithmetic = "onnx-int8", "int8", "int8"


class OnnxInt8Blocks(OnnxRuntime):
    """The fused graph with int8 weights, and activations rounded to int8, in blocks with a scale each."""

    name, variant, arithmetic = "onnx-int8-blocks", "int8-blocks", "int8"


def _providers(device: torch.device) -> list:
    if device.type == "cuda":
        return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
