"""An ONNX graph's weights in int8, in three ways that differ in what shares a scale (Lecture 11).

A product of whole numbers needs its activations rounded as well, while it runs. One scale for all of them is ONNX
Runtime's own form and the roughest: the few huge values of a prompt's first token take every other token's digits. A
scale for each token keeps them, and one for each block of numbers keeps most, but is slower where a prompt is read.

Source: the ONNX operators `QuantizeLinear` and `DynamicQuantizeLinear`; of ONNX Runtime `MatMulIntegerToFloat` and
`MatMulNBits`, and its guide "Quantize ONNX models", which asks for 7 bits where the processor adds in 16.
"""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from course import processor

BLOCK = 32
COMPARES = {"GroupQueryAttention", "MultiHeadAttention", "Attention", "Softmax"}
MIDDLE = 128  # the code of an activation of 0
LARGEST = 127  # of an activation's codes, counted from the middle
STEPS = ("sizes", "found", "largest", "factor", "scaled", "whole", "summed")  # of a product by rows


def weight_bits() -> int:
    """Of a weight that is multiplied with an unsigned byte: 7 where the processor would saturate with 8."""
    return 7 if processor.saturates(processor.about()) else 8


def one_scale(graph: Path, target: Path) -> None:
    """Each output of a matrix has a scale; each activation one for all its values, found as it comes.

    Args:
        graph: the file of a graph in float32.
        target: the file to write; its weights go beside it.
    """
    import onnx_ir
    from transformers.exporters import OnnxRuntimeDynamicConfig, OnnxRuntimeQuantizer
    from transformers.exporters.configs import ExportFormat

    how = OnnxRuntimeDynamicConfig(per_channel=True, reduce_range=weight_bits() == 7)
    rounded = OnnxRuntimeQuantizer(how).quantize(onnx_ir.load(graph), {}, ExportFormat.ONNX)
    onnx_ir.save(rounded, target, external_data=f"{target.name}.data")


def blocks(graph: Path, target: Path) -> None:
    """Each block of `BLOCK` weights of a column has a scale, and each block of an activation; arguments as above."""
    _in_blocks(_with_own_head(graph), but=()).save_model_to_file(str(target), use_external_data_format=True)


def rows(graph: Path, target: Path) -> None:
    """Each output of a matrix has a scale, and each token; arguments as above.

    In blocks stay the output matrix, which multiplies one token, and what attention compares: a softmax makes powers
    of their errors.
    """
    model = _with_own_head(graph)
    weights = _weights(model.graph)
    outputs = {value.name for value in model.graph.output}
    products = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in weights]
    inner = [node.name for node in products if not (outputs | COMPARES) & _reached(model.graph, node, weights)]
    rounded = _in_blocks(model, but=inner)
    by_rows(rounded.model.graph, inner)
    rounded.save_model_to_file(str(target), use_external_data_format=True)


def _with_own_head(path: Path):
    """The graph, where a product with a transposed matrix, the tied output matrix, has a copy that can be quantized."""
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(path)
    weights = _weights(model.graph)
    for node in model.graph.node:
        attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        transposed = node.op_type == "FusedMatMul" and attributes == {"transB": 1}
        if transposed and node.input[1] in weights:
            matrix = np.ascontiguousarray(numpy_helper.to_array(weights[node.input[1]]).T)
            model.graph.initializer.append(numpy_helper.from_array(matrix, f"{node.input[1]}.turned"))
            turned = helper.make_node("MatMul", [node.input[0], f"{node.input[1]}.turned"], node.output, node.name)
            node.CopyFrom(turned)
    return model


def _weights(graph) -> dict:
    """The stored tensors by name."""
    return {one.name: one for one in graph.initializer}


def _reached(graph, product, weights: Collection[str]) -> set[str]:
    """Values and operators that a product's output meets before the next product with a stored matrix."""
    users: dict[str, list] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    met, todo = set(), list(product.output)
    while todo:
        value = todo.pop()
        met.add(value)
        for node in users.get(value, ()):
            if not (node.op_type == "MatMul" and node.input[1] in weights):
                todo.extend(name for name in node.output if name not in met)
                met.add(node.op_type)
    return met


def _in_blocks(model, but: Collection[str]):
    """The graph in ONNX Runtime's wrapping, with all products in blocks, except those of some names."""
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    how = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8)
    quantizer = MatMulNBitsQuantizer(model, algo_config=how, nodes_to_exclude=list(but))
    quantizer.process()
    return quantizer.model


def by_rows(graph, names: Collection[str]) -> None:
    """Replace products by those of whole numbers, with a scale for each row of the activation and each output.

    Args:
        graph: changed in place; it may use ``com.microsoft``'s operators.
        names: of nodes MatMul whose second input is stored.
    """
    from onnx import numpy_helper

    constants = {
        "rows.one": np.float32(1),
        "rows.middle": np.uint8(MIDDLE),
        "rows.largest": np.float32(LARGEST),
        "rows.least": np.float32(1e-12),
        "rows.axis": np.array([-1]),
    }
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    weights, nodes = _weights(graph), []
    for node in graph.node:
        if node.name not in names:
            nodes.append(node)
            continue
        stored = weights[node.input[1]]
        codes, scales = rounded_outputs(numpy_helper.to_array(stored), weight_bits())
        nodes.extend(_whole_numbers(node))
        graph.initializer.remove(stored)
        graph.initializer.append(numpy_helper.from_array(codes, f"{node.name}.codes"))
        graph.initializer.append(numpy_helper.from_array(scales / np.float32(LARGEST), f"{node.name}.scales"))
    del graph.node[:]
    graph.node.extend(nodes)


def rounded_outputs(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """A matrix as whole numbers, each output with its scale.

    Args:
        matrix: ``(n_in, n_out)``, finite.
        bits: of a code, with its sign: 8 for -127 to 127, 7 for -63 to 63.

    Returns:
        codes ``(n_in, n_out)`` int8, scales ``(n_out,)`` float32; their product is the matrix up to half a scale.
    """
    scales = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / (2 ** (bits - 1) - 1)
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


def _whole_numbers(product) -> list:
    """Nodes that find each row's largest magnitude, round the row by it, multiply, and scale back."""
    from onnx import helper

    name, activation, output = product.name, product.input[0], product.output[0]
    size, found, largest, factor, scaled, whole, summed = (f"{name}.{step}" for step in STEPS)
    rest = [f"{name}.codes", "rows.one", f"{name}.scales", "rows.middle"]
    return [
        helper.make_node("Abs", [activation], [size]),
        helper.make_node("ReduceMax", [size, "rows.axis"], [found], keepdims=1),
        helper.make_node("Max", [found, "rows.least"], [largest]),
        helper.make_node("Div", ["rows.largest", largest], [factor]),
        helper.make_node("Mul", [activation, factor], [scaled]),
        helper.make_node("QuantizeLinear", [scaled, "rows.one", "rows.middle"], [whole]),
        helper.make_node("MatMulIntegerToFloat", [whole, *rest], [summed], domain="com.microsoft"),
        helper.make_node("Mul", [summed, largest], [output]),
    ]
