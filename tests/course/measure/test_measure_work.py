"""Counted operations and bytes against brute force over every matrix product."""

import numpy as np
import pytest

from course.measure.work import Costs, Shape, decode_work, least_seconds, prefill_work

TINY = Shape(vocab_size=96, hidden_size=24, n_layers=3, n_heads=6, n_kv_heads=2, head_dim=4, intermediate_size=40)


class Counter:
    """Runs a decoder's products on zeros and counts operations and the weights that it touches."""

    def __init__(self, shape: Shape):
        self.shape, self.flops, self.weights = shape, 0, 0

    def linear(self, x, outputs):
        weight = np.zeros((x.shape[-1], outputs))
        self.flops += 2 * x.size * outputs
        self.weights += weight.size
        return x @ weight

    def forward(self, batch, n, cached, logit_rows, masked):
        s = self.shape
        x = np.zeros((batch, n, s.hidden_size))
        for _ in range(s.n_layers):
            self.linear(x, s.n_heads * s.head_dim)
            self.linear(x, s.n_kv_heads * s.head_dim)
            self.linear(x, s.n_kv_heads * s.head_dim)
            for query in range(n):
                keys = cached + (query + 1 if masked else n)
                self.flops += batch * s.n_heads * keys * s.head_dim * (2 + 2)
            self.linear(np.zeros((batch, n, s.n_heads * s.head_dim)), s.hidden_size)
            self.linear(x, s.intermediate_size)
            self.linear(x, s.intermediate_size)
            self.linear(np.zeros((batch, n, s.intermediate_size)), s.hidden_size)
        self.linear(x[:, :logit_rows], s.vocab_size)


@pytest.mark.parametrize(("batch", "prompt", "rows"), [(1, 7, 1), (3, 5, 5), (2, 1, 1)])
def test_prefill(batch, prompt, rows):
    work = prefill_work(TINY, batch, prompt, Costs(4.0, 2.0, rows))
    for masked, counted in ((True, work.flops), (False, work.flops_unmasked)):
        counter = Counter(TINY)
        counter.forward(batch, prompt, 0, rows, masked)
        assert counted == counter.flops
    cache = 2 * TINY.n_layers * batch * prompt * TINY.n_kv_heads * TINY.head_dim
    assert work.bytes == 4 * counter.weights + 2 * cache


@pytest.mark.parametrize(("batch", "prompt", "steps"), [(1, 7, 1), (3, 5, 4)])
def test_decode(batch, prompt, steps):
    work = decode_work(TINY, batch, prompt, steps, Costs(1.0, 4.0))
    flops = moved = 0
    for step in range(steps):
        counter = Counter(TINY)
        counter.forward(batch, 1, prompt + step, 1, True)
        flops += counter.flops
        values = 2 * TINY.n_layers * batch * (prompt + step + 1) * TINY.n_kv_heads * TINY.head_dim
        moved += counter.weights + 4 * values
    assert (work.flops, work.bytes) == (flops, moved)


def test_the_roofline_is_the_longer_of_the_two():
    work = prefill_work(TINY, 1, 7, Costs(4.0, 4.0))
    assert least_seconds(work, work.flops, 2 * work.bytes) == 1.0
    assert least_seconds(work, 4 * work.flops, work.bytes / 3) == 3.0
