"""What an hour of audio and a million tokens cost (Lecture 12, *Cloud and DevOps*).

A price is an input: take it from your provider's list and write down the day. Speed is measured. The third number is
the share of the paid time in which the machine works, and it is the one that nobody writes down.
"""

from course.capacity.quantities import positive


def cost_per_million_tokens(price_per_hour: float, tokens_per_second: float, utilisation: float) -> float:
    """In the currency of the price.

    Args:
        price_per_hour: of the machine.
        tokens_per_second: that it writes while it works, all callers together.
        utilisation: share of the paid time in which it does, above 0 and at most 1.

    Raises:
        TypeError, ValueError: a number that cannot be.
    """
    written = 3600 * positive("tokens a second", tokens_per_second) * busy(utilisation)
    return 1e6 * positive("price", price_per_hour) / written


def cost_per_audio_hour(price_per_hour: float, real_time_factor: float, utilisation: float) -> float:
    """In the currency of the price.

    Args:
        price_per_hour: of the machine.
        real_time_factor: seconds of work for a second of sound.
        utilisation: share of the paid time in which it works, above 0 and at most 1.

    Raises:
        TypeError, ValueError: a number that cannot be.
    """
    return positive("price", price_per_hour) * positive("real-time factor", real_time_factor) / busy(utilisation)


def busy(utilisation: float) -> float:
    """A utilisation that can be.

    Raises:
        TypeError, ValueError: it is not above 0, or above 1.
    """
    value = positive("utilisation", utilisation)
    if value > 1:
        raise ValueError(f"A utilisation of at most 1 was expected; {value:g} came. Write 60 % as 0.6.")
    return value
