"""From Waveform to Cloud: what the lectures taught, promoted to a library, and the ``course`` command."""

__version__ = "0.1.0"
