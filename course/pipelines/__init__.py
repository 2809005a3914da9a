"""Data at scale: pure functions on records and recordings, and the engines that run them (Lecture 8).

Import from the modules. ``records`` to ``writing`` know nothing of an engine: ``collecting`` brings data in, ``sound``
treats recordings as they treat text, ``keyed`` says what a shuffle brings together. ``plain`` runs them in a loop,
``transforms`` and ``sound_transforms`` in Beam, ``cluster`` on Dask; ``pipeline`` and ``speech_sets`` start a run.
``streaming`` and ``stream_transforms`` are the same for events that come late, and ``nightly.sh`` ties all together.
"""
