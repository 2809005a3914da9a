"""The measurement harness of ``course measure`` (Lecture 11, *Fast inference*).

``record`` is what a measurement leaves behind: raw samples only. ``devices`` are what is measured on, one of them made
up and of known latency. ``plan`` says what to measure and ``sources`` where variants come from; ``trial``, ``worker``
and ``runner`` take the samples, ``scenarios`` and ``loadgen`` say how requests come, and ``kernels`` compares single
functions. ``statistics`` says what samples can carry, ``rules`` and ``verify`` recompute all of it, ``report`` and
``plots`` show it, and ``rehearsal`` plants the classic mistakes and shows which rule finds each.
"""
