"""The processor at hand, as far as speeds and rounding depend on it."""

import platform
from pathlib import Path

# The kernel's flags and their names, the fastest for inference first. VNNI multiplies and adds int8 in one instruction.
WIDEST = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "i8mm": "int8 matrix instructions",
    "asimddp": "int8 dot products",
}
EXACT = {"amx_int8", "avx512_vnni", "avx_vnni"}  # of x86, the flags of products of int8 that are summed in 32 bits


def about() -> str:
    """What Linux tells of it; empty elsewhere."""
    told = Path("/proc/cpuinfo")
    return told.read_text() if told.exists() else ""


def described(about: str) -> str:
    """The processor's name, and the widest of its vector instructions: rented machines of one name differ in them.

    Args:
        about: as Linux tells it in /proc/cpuinfo; empty elsewhere.
    """
    told = _told(about)
    widest = next((name for flag, name in WIDEST.items() if flag in _flags(told)), None)
    return " with ".join(filter(None, (told.get("model name") or platform.machine(), widest)))


def saturates(about: str) -> bool:
    """Whether sums of two products of int8 are cut to 16 bits: on x86 processors without VNNI or AMX.

    There ``vpmaddubsw`` multiplies unsigned by signed bytes and adds neighbours: 2 * 255 * 127 = 64,770 becomes 32,767.
    Weights in 7 bits cannot reach that.

    Args:
        about: as Linux tells it in /proc/cpuinfo; empty elsewhere, where the machine's kind alone decides.
    """
    told = _told(about)
    x86 = "flags" in told if told else platform.machine().lower() in ("x86_64", "amd64")
    return x86 and not EXACT & set(_flags(told))


def _told(about: str) -> dict[str, str]:
    pairs = dict(line.split(":", 1) for line in reversed(about.splitlines()) if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs.items()}


def _flags(told: dict[str, str]) -> list[str]:
    return told.get("flags", told.get("Features", "")).split()
