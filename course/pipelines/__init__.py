"""Data at scale: pure functions on records, and the Beam pipeline that is put together from them (Lecture 8).

Import from the modules. ``records`` to ``writing`` know nothing of Beam; ``transforms`` wraps them, ``pipeline`` joins
the wrapped ones, and ``plain`` runs the same functions in a loop.
"""
