"""The roofline: what a model has to move and compute, and how fast the device can do either (Lecture 11).

A pass over the network takes at least as long as its bytes need at the device's bandwidth, and at least as long as its
operations need at the device's rate; the longer of the two is the roof. Counted: weights, keys and values, logits. Not
counted: activations, which stay in the caches at batch 1, and the embedding rows of the tokens.

Source: S. Williams, A. Waterman and D. Patterson, Roofline: an insightful visual performance model for multicore
architectures, Communications of the ACM 52(4), 2009.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.benchmark import Timer

from course.errors import CourseError
from course.inference.memory import LOGIT_BYTES, bytes_per_value
from course.inference.protocol import DTYPES, no_device
from course.language.model import LlamaConfig


@dataclass(frozen=True)
class Work:
    """What one pass has to do.

    Attributes:
        flops: multiplications and additions, two for each multiply-accumulate.
        weights: bytes of parameters read, once for the whole batch.
        cache_read: bytes of keys and values that attention reads; the new positions are among them.
        cache_written: bytes of the new positions' keys and values.
        logits: bytes of logits written, in float32.
    """

    flops: int
    weights: int
    cache_read: int
    cache_written: int
    logits: int

    @property
    def bytes(self) -> int:
        """All bytes moved."""
        return self.weights + self.cache_read + self.cache_written + self.logits

    @property
    def intensity(self) -> float:
        """FLOPs for each byte."""
        return self.flops / self.bytes


def matmul_parameters(config: LlamaConfig) -> int:
    """Weights of a block's seven matrices, over all blocks: each is multiplied with each position."""
    queries_and_output = 2 * config.hidden_size * config.n_heads * config.head_dim
    keys_and_values = 2 * config.hidden_size * config.n_kv_heads * config.head_dim
    return config.n_layers * (queries_and_output + keys_and_values + 3 * config.hidden_size * config.intermediate_size)


def prefill_work(
    config: LlamaConfig, batch: int, n: int, dtype="float32", causal: bool = False, logit_rows: int = 1, weights_as=""
) -> Work:
    """What reading a prompt needs.

    Args:
        config: the shape.
        batch, n: sequences, and tokens of each.
        dtype: of weights and cache.
        causal: count only the scores that a query sees, ``n * (n + 1) / 2``; otherwise all ``n * n``, as code that
            masks them afterwards computes.
        logit_rows: rows of logits computed for each sequence: 1, or ``n`` where the graph computes all.
        weights_as: dtype of the weights where it is another, "int8" or "int4".
    """
    pairs = n * (n + 1) // 2 if causal else n * n
    return _work(config, batch, n, pairs, 0, dtype, logit_rows, weights_as)


def decode_work(config: LlamaConfig, batch: int, length: int, dtype: str = "float32", weights_as: str = "") -> Work:
    """What one token more for each sequence needs.

    Args:
        config, batch, dtype, weights_as: as for :func:`prefill_work`.
        length: positions that attention reads, the new one among them.
    """
    return _work(config, batch, 1, length, length, dtype, 1, weights_as)


def _work(config, batch, n_new, pairs, length, dtype, logit_rows, weights_as) -> Work:
    for name, value in (("batch", batch), ("tokens", n_new), ("scores", pairs), ("logit_rows", logit_rows)):
        if value < 1:
            raise ValueError(f"The number of {name} has to be 1 or more; {value} came.")
    value, weight = bytes_per_value(dtype), bytes_per_value(weights_as or dtype)
    head = config.vocab_size * config.hidden_size
    matmuls = 2 * batch * (matmul_parameters(config) * n_new + head * logit_rows)
    attention = 4 * batch * config.n_layers * config.n_heads * config.head_dim * pairs
    norms = config.hidden_size * (2 * config.n_layers + 1)
    return Work(
        flops=matmuls + attention,
        weights=int((matmul_parameters(config) + head) * weight + norms * value),
        cache_read=config.cache_bytes(length or n_new, batch=batch, bytes_per_value=value),
        cache_written=config.cache_bytes(n_new, batch=batch, bytes_per_value=value),
        logits=batch * logit_rows * config.vocab_size * LOGIT_BYTES,
    )


@dataclass(frozen=True)
class Ceilings:
    """What a device reached, raw: every repetition of every ceiling.

    Attributes:
        device, dtype, threads: what was measured with; threads of the CPU.
        flops_per_second: of a square matrix product: on a CPU in float32 by PyTorch and by ONNX Runtime, whose kernels
            differ by a factor of two on some processors; else by PyTorch.
        copy_bytes_per_second: of a copy, read and written bytes together.
        read_bytes_per_second: of a matrix times a vector, which reads as decoding does.
    """

    device: str
    dtype: str
    threads: int
    flops_per_second: tuple[float, ...]
    copy_bytes_per_second: tuple[float, ...]
    read_bytes_per_second: tuple[float, ...]

    @property
    def flops(self) -> float:
        """The best repetition: a ceiling is what the device can do, not what it does on average."""
        return max(self.flops_per_second)

    @property
    def bytes(self) -> float:
        """The best of reading and copying."""
        return max(*self.read_bytes_per_second, *self.copy_bytes_per_second)


def measure_ceilings(
    device="cpu", dtype="float32", threads: int = 1, repetitions=5, side=0, values=0, seconds=0.2
) -> Ceilings:
    """Measure the two roofs of a device.

    Args:
        device: "cpu", "cuda".
        dtype: of what is multiplied and moved.
        threads: of the CPU.
        repetitions: how often each is measured; each time until ``seconds`` have passed, and the fastest run counts.
        side: of the square matrices; 0 takes 512 on a CPU, a few milliseconds' work that other programs leave whole now
            and then, and 8,192 on a GPU.
        values: numbers in the arrays that are moved; 0 takes 2 ** 26 on a CPU and 2 ** 29 on a GPU. They have to be
            several times larger than the processor's caches.
        seconds: shortest time of a repetition.

    Raises:
        CourseError: there is no such device.
    """
    if reason := no_device(device):
        raise CourseError(reason)
    on_gpu, kind = device.startswith("cuda"), {"device": device, "dtype": DTYPES[dtype]}
    side, values = side or (8192 if on_gpu else 512), values or 2 ** (29 if on_gpu else 26)
    square, source = torch.randn(side, side, **kind), torch.ones(values, **kind)
    matrix = source.view(-1, 1024)
    names = {"a": square, "x": source, "y": torch.empty_like(source), "m": matrix, "v": torch.ones(1024, **kind)}
    moved = source.numel() * source.element_size()

    def rates(statement: str, amount: float) -> tuple[float, ...]:
        timer = Timer(statement, globals=names, num_threads=threads)
        return tuple(amount / min(timer.blocked_autorange(min_run_time=seconds).times) for _ in range(repetitions))

    products = ["a @ a"]
    if not on_gpu and dtype == "float32":
        names["onnx_product"] = _onnx_product(square.numpy(), threads)
        products.append("onnx_product()")
    with torch.no_grad():
        return Ceilings(
            device,
            dtype,
            threads,
            flops_per_second=tuple(rate for product in products for rate in rates(product, 2 * side**3)),
            copy_bytes_per_second=rates("y.copy_(x)", 2 * moved),
            read_bytes_per_second=rates("m @ v", moved),
        )


def _onnx_product(matrix, threads: int) -> Callable[[], object]:
    """The product of a square NumPy matrix with itself by ONNX Runtime, as a function to be called."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, matrix.shape) for name in ("x", "y")]
    product = helper.make_node("MatMul", ["x", "weight"], ["y"])
    graph = helper.make_graph([product], "product", ends[:1], ends[1:], [numpy_helper.from_array(matrix, "weight")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": matrix})


@dataclass(frozen=True)
class Prediction:
    """The least time that a pass can take under two ceilings.

    Attributes:
        compute_seconds, memory_seconds: what each roof alone asks for.
    """

    compute_seconds: float
    memory_seconds: float

    @property
    def seconds(self) -> float:
        """The longer of the two."""
        return max(self.compute_seconds, self.memory_seconds)

    @property
    def bound(self) -> str:
        """Which roof it is: "memory" or "compute"."""
        return "memory" if self.memory_seconds >= self.compute_seconds else "compute"

    def per_second(self, tokens: int) -> float:
        """Tokens a second, if the pass handles that many."""
        return tokens / self.seconds


def predict(work: Work, flops_per_second: float, bytes_per_second: float) -> Prediction:
    """The roofline's time for some work on a device with these ceilings."""
    if not (flops_per_second > 0 and bytes_per_second > 0):
        raise ValueError(f"Ceilings are above 0; {flops_per_second} FLOP/s and {bytes_per_second} bytes/s came.")
    return Prediction(work.flops / flops_per_second, work.bytes / bytes_per_second)


@dataclass(frozen=True)
class Peak:
    """What a vendor publishes of a device; dense arithmetic, without sparsity.

    Attributes:
        flops_per_second: by dtype, with tensor cores except for "float32".
        bytes_per_second: of its memory.
        memory_bytes: how much it has, in the vendor's decimal gigabytes.
        source: where the numbers are published.
    """

    flops_per_second: dict[str, float]
    bytes_per_second: float
    memory_bytes: float
    source: str


PEAKS = {
    "H100 SXM": Peak(
        {"float32": 67e12, "tf32": 494.7e12, "bfloat16": 989.4e12, "float16": 989.4e12, "int8": 1979e12},
        3.35e12,
        80e9,
        "NVIDIA H100 Tensor Core GPU data sheet and H100 architecture white paper",
    ),
    "H100 PCIe": Peak(
        {"float32": 51e12, "tf32": 378e12, "bfloat16": 756e12, "float16": 756e12, "int8": 1513e12},
        2.0e12,
        80e9,
        "NVIDIA H100 Tensor Core GPU data sheet and H100 architecture white paper",
    ),
    "H200 SXM": Peak(
        {"float32": 67e12, "tf32": 494.7e12, "bfloat16": 989.4e12, "float16": 989.4e12, "int8": 1979e12},
        4.8e12,
        141e9,
        "NVIDIA H200 Tensor Core GPU data sheet",
    ),
}

# What drivers call them; the SXM boards go without the word.
NAMES = {"H100 PCIe": "H100 PCIe", "H100 80GB HBM3": "H100 SXM", "H200": "H200 SXM"}


def published_peak(device_name: str) -> Peak | None:
    """The vendor's numbers for a GPU, by what `torch.cuda.get_device_name` calls it; None where they are not here."""
    return next((PEAKS[model] for name, model in NAMES.items() if device_name == f"NVIDIA {name}"), None)
