"""The model as an ONNX graph, run by ONNX Runtime (Lecture 11).

transformers' exporter (experimental in 5.23, hence pinned) traces one graph that takes any number of tokens behind any
number of cached ones. It is exported once, in two minutes for SmolLM2, and kept; fused and quantized variants are made
from the kept graph in seconds. As exported, the graph computes a row of logits for every token of a prompt, where
PyTorch computes one; the fused variants are cut down to the last row. `OnnxRuntime.logit_rows` says which it is, and
the operations are counted accordingly.

A fused graph is made for one sequence, or for any number of them. Only in the former does attention become one
operator: ONNX Runtime's `GroupQueryAttention` takes several tokens behind a cache for one sequence alone.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from course.errors import CourseError
from course.inference import models, onnx_int8
from course.inference.artefacts import artefact, is_made
from course.inference.protocol import Backend, Setup
from course.inference.quiet import quiet

PACKAGES = ("torch", "transformers", "onnxruntime")
GRAPH, LOGITS = "model.onnx", "logits"
ROUNDED = {"int8": onnx_int8.one_scale, "int8-rows": onnx_int8.rows, "int8-blocks": onnx_int8.blocks}
ONE_BYTE = ("int8", "int8-rows")  # whose weights are multiplied with bytes, so that their bits depend on the processor
SAMPLE = (2, 7)  # batch and tokens of the traced example: neither 1 nor equal, which would fix an axis for ever


def exported(setup: Setup, variant: str) -> Path:
    """The folder with ``model.onnx`` for a variant, exported at the first call.

    Args:
        setup: the model, its dtype, the device that fusions are for, and whether its batch is one sequence.
        variant: "plain", "fused", or one of `ROUNDED`, fused and then rounded to int8: "int8" (each activation has one
            scale), "int8-rows" (one for each token) or "int8-blocks" (one for each block).

    Raises:
        CourseError: the exporter failed, with its last words.
    """
    makers = {"plain": export, "fused": fuse} | {name: partial(quantize, variant=name) for name in ROUNDED}
    if variant not in makers:
        raise CourseError(f"ONNX graphs come as {', '.join(makers)}; {variant!r} is none of them.")
    return artefact(setup, _kind(setup, variant), PACKAGES, lambda folder: _made(makers[variant], setup, folder))


def _kind(setup: Setup, variant: str) -> str:
    """What the folder of a variant is called; all but the plain graph depend on the device and on the batch."""
    provider, sequences = setup.device.partition(":")[0], "one" if setup.batch == 1 else "any"
    bits = f"-{onnx_int8.weight_bits()}bits" if variant in ONE_BYTE else ""
    return f"onnx-{variant}" if variant == "plain" else f"onnx-{variant}-{provider}-{sequences}{bits}"


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
    _keep_last_row(graph.graph)
    if setup.batch == 1:
        _fix_batch(graph.graph)
    fuse_for_onnxruntime(graph, setup.device.partition(":")[0])
    onnx_ir.save(graph, folder / GRAPH, external_data=f"{GRAPH}.data")


def _keep_last_row(graph) -> None:
    """Multiply only the last position's state with the output matrix: the row of logits that generation asks for."""
    import onnx_ir

    logits = next(value for value in graph.outputs if value.name == LOGITS)
    product = logits.producer()
    states = product.inputs[0]
    bounds = []
    for name, bound in (("start", -1), ("end", np.iinfo(np.int64).max), ("axis", 1)):
        bounds.append(onnx_ir.Value(name=f"last_row.{name}", const_value=onnx_ir.tensor(np.array([bound]))))
        bounds[-1].dtype, bounds[-1].shape = onnx_ir.DataType.INT64, onnx_ir.Shape([1])
        graph.register_initializer(bounds[-1])
    cut = onnx_ir.node("Slice", [states, *bounds])
    cut.outputs[0].name, cut.outputs[0].dtype = "last_row", states.dtype
    for value, like in ((cut.outputs[0], states), (logits, logits)):
        value.shape = onnx_ir.Shape([like.shape[0], 1, like.shape[2]])
    graph.insert_before(product, cut)
    product.replace_input_with(0, cut.outputs[0])


def _fix_batch(graph) -> None:
    """Write 1 wherever the graph has the symbol of its batch, so that the fusions know that there is one sequence."""
    import onnx_ir

    batch = graph.inputs[0].shape[0]
    for value in (*graph.inputs, *(value for node in graph for value in node.outputs)):
        if value.shape is not None:
            value.shape = onnx_ir.Shape([1 if size == batch else size for size in value.shape])


def quantize(setup: Setup, folder: Path, variant: str) -> None:
    """Round the fused graph's weights to int8."""
    ROUNDED[variant](exported(setup, "fused") / GRAPH, folder / GRAPH)


def _made(make, setup: Setup, folder: Path) -> None:
    """Run a maker without its chatter; if it fails, raise one sentence."""
    name = getattr(make, "func", make).__name__
    try:
        with quiet():
            make(setup, folder)
    except CourseError:
        raise
    except Exception as error:  # exporters raise whatever the layer below them raised
        last = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CourseError(
            f"The ONNX export of {setup.model} ({name}) failed: {last} "
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
        graph = exported(setup, self.variant) / GRAPH
        try:
            self.session = onnxruntime.InferenceSession(graph, options, providers=_providers(self.device))
        except Exception as error:  # ONNX Runtime's own kinds have no common class
            raise CourseError(
                f"ONNX Runtime cannot load {graph}: {str(error).strip()[:200]} Remove that folder to export it again."
            ) from error
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

    @classmethod
    def exported_before(cls, setup: Setup) -> bool:
        """Whether the graph is there already; if not, making the backend takes minutes."""
        return is_made(setup, _kind(setup, cls.variant), PACKAGES)

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
        """Logits ``(batch, n or 1, vocab)`` float32; the cache is exchanged for the one that comes back."""
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
        logits = values.pop(LOGITS)
        self.cache = dict(zip(self.past, values.values(), strict=True))
        return torch.from_dlpack(logits).float()

    def _empty(self, one):
        """A cache of no positions, in the form that an input of the graph asks for."""
        import onnxruntime

        kind = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[one.type]
        shape = (self.setup.batch, self.config.n_kv_heads, 0, self.config.head_dim)
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, kind))


class OnnxFused(OnnxRuntime):
    """The graph with ONNX Runtime's fused operators in place of the patterns that it knows, and one row of logits."""

    name, variant = "onnx-fused", "fused"

    def logit_rows(self, n: int) -> int:
        """One, as PyTorch."""
        return 1

    def _logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """The graph gives the last row alone, so the rows come one by one through the cache."""
        rows = []
        for place in range(tokens.shape[1]):
            rows.append(self._run(tokens[:, place : place + 1])[:, -1])
            self._cached = place + 1
        return torch.stack(rows, dim=1)


class OnnxInt8(OnnxFused):
    """The fused graph with int8 weights, and activations rounded to int8 as they come, with one scale for all.

    One large value in an activation takes the others' precision: what that costs is for its parity to say.
    """

    name, variant, arithmetic = "onnx-int8", "int8", "int8"


class OnnxInt8Rows(OnnxFused):
    """The fused graph with int8 weights, and activations rounded to int8, with a scale for each token."""

    name, variant, arithmetic = "onnx-int8-rows", "int8-rows", "int8"


class OnnxInt8Blocks(OnnxFused):
    """The fused graph with int8 weights, and activations rounded to int8, in blocks with a scale each."""

    name, variant, arithmetic = "onnx-int8-blocks", "int8-blocks", "int8"


def _providers(device: torch.device) -> list:
    if device.type == "cuda":
        return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
