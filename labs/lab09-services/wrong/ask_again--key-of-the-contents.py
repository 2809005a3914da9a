"""The key is made of what is asked, so that a second request like it is never done."""

# fails: is_served_once

import json


def ask_again(fates, draws, base, cap, deadline):
    key, tries, now = json.dumps([fates, base, cap, deadline]), [], 0.0
    for k, (fate, draw) in enumerate(zip(fates, draws, strict=True)):
        tries.append({"at": now, "key": key})
        if fate["status"] not in (None, 429, 503):
            break
        wait = draw * min(cap, base * 2**k)
        if fate["retry_after"] is not None:
            wait = max(wait, 1000 * fate["retry_after"])
        now += fate["took"] + wait
        if now > deadline:
            break
    return {"status": fate["status"], "tries": tries}
