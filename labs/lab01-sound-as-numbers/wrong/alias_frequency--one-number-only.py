"""Branches on the comparison, which an array of frequencies does not allow."""

# fails: keeps_the_shape


def alias_frequency(frequency, sample_rate):
    if sample_rate <= 0:
        raise ValueError("a sample rate is above 0 Hz")
    wrapped = frequency % sample_rate
    if wrapped > sample_rate / 2:
        return sample_rate - wrapped
    return wrapped
