"""The wait grows in steps, not by doubling."""

# fails: waits_with_full_jitter

import secrets


def ask_again(fates, draws, base, cap, deadline):
    key, tries, now = secrets.token_hex(16), [], 0.0
    for k, (fate, draw) in enumerate(zip(fates, draws, strict=True)):
        tries.append({"at": now, "key": key})
        if fate["status"] not in (None, 429, 503):
            break
        wait = draw * min(cap, base * (k + 1))
        if fate["retry_after"] is not None:
            wait = max(wait, 1000 * fate["retry_after"])
        now += fate["took"] + wait
        if now > deadline:
            break
    return {"status": fate["status"], "tries": tries}
