import platform

import pytest

from course import processor


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse2 avx2\n", "AMD EPYC with AVX2"),
        ("model name\t: AMD EPYC\nflags\t: avx2 avx512f avx512_vnni\n", "AMD EPYC with AVX-512 VNNI"),
        ("model name: one: two\nflags: sse2\n\nmodel name: another\nflags: avx2", "one: two"),
        ("processor: 0\nFeatures: fp asimd asimddp\n", f"{platform.machine()} with int8 dot products"),
        ("", platform.machine()),
    ],
)
def test_a_processor_is_named_with_its_widest_instructions(about, told):
    assert processor.described(about) == told


@pytest.mark.parametrize(
    ("about", "cut"),
    [
        ("flags\t: sse2 avx2\n", True),
        ("flags\t: avx2 avx512f avx512bw\n", True),
        ("flags\t: avx2 avx512f avx512_vnni\n", False),
        ("flags\t: avx2 avx_vnni\n", False),
        ("Features: fp asimd asimddp\n", False),
    ],
)
def test_sums_of_bytes_are_cut_to_16_bits_on_x86_without_vnni(about, cut):
    assert processor.saturates(about) is cut


@pytest.mark.parametrize(("machine", "cut"), [("x86_64", True), ("AMD64", True), ("arm64", False)])
def test_where_linux_tells_nothing_the_kind_of_machine_decides(monkeypatch, machine, cut):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert processor.saturates("") is cut
