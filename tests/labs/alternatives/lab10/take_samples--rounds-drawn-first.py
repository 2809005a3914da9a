"""All orders are drawn before the first device is opened; a clock that waits; prompts counted up."""

# ruff: noqa: F821 (the other names are those of the lab)

import random
from itertools import count


def take_samples(machine, variants, processes, rounds, seed):
    if len(variants) == 0:
        raise ValueError("there is nothing to measure")
    if processes < 1 or rounds < 1:
        raise ValueError("at least one process and one round")
    lot = random.Random(f"order {seed}")
    orders = [[lot.sample(variants, k=len(variants)) for _ in range(rounds)] for _ in range(processes)]
    rows = []
    for process, own in enumerate(orders):
        device, prompts = open_device(machine, process), count()

        def waited(device=device):
            device.synchronize()
            return device.now()

        def row(number, name, prompt, process=process, device=device, clock=waited):
            began = clock()
            device.launch(name, prompt)
            rows.append(dict(process=process, round=number, variant=name, prompt=prompt, seconds=clock() - began))

        for name in variants:
            for done in range(MOST_WARM_UPS):
                if is_warm([one["seconds"] for one in rows[len(rows) - done :]]):
                    break
                row(0, name, next(prompts))
        for number, order in enumerate(own, start=1):
            prompt = next(prompts)
            for name in order:
                row(number, name, prompt)
    return rows
