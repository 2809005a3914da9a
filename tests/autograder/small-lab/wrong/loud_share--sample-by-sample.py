"""Every frame is cut out of the signal and summed in Python."""
# fails: fast_on_a_minute


def loud_share(signal, length, threshold):
    count = len(signal) // length
    loud = 0
    for frame in range(count):
        total = 0.0
        for n, sample in enumerate(signal):
            total += sample**2 * (n // length == frame)
        loud += (total / length) ** 0.5 > threshold
    return loud / count
