"""Language models written out for reading: a LLaMA, its cache, sampling, tokens and training (Lecture 7).

Import from the modules: those that only handle text (tokens, calls) load without PyTorch.
"""
