"""The order is another one each time."""

# fails: follows_the_seed

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def take_samples(machine, variants, processes, rounds, seed):
    if not variants or processes < 1 or rounds < 1:
        raise ValueError(f"Expected variants, processes and rounds; got {variants}, {processes} and {rounds}.")
    rng, samples = np.random.default_rng(), []

    def sample(device, process, number, variant, prompt):
        device.synchronize()
        began = device.now()
        device.launch(variant, prompt)
        device.synchronize()
        names = {"process": process, "round": number, "variant": variant, "prompt": prompt}
        samples.append(names | {"seconds": device.now() - began})
        return samples[-1]["seconds"]

    for process in range(processes):
        device = open_device(machine, process)
        for variant in variants:
            seconds = []
            while len(seconds) < MOST_WARM_UPS and not is_warm(seconds):
                seconds.append(sample(device, process, 0, variant, -1 - len(seconds)))
        for number in range(1, rounds + 1):
            for place in rng.permutation(len(variants)):
                sample(device, process, number, variants[place], number)
    return samples
