"""Turns the MyST engine's page trees into static HTML.

``registry`` maps a node type to its function; the modules beside it hold those functions by subject (``prose``,
``structure``, ``figures``, ``maths``, ``cells``, ``questions``, ``references``). ``render_nodes`` renders any list of
nodes and is what the slides use. ``site`` assembles pages, search index and assets.
"""

from renderer import cells, figures, maths, prose, questions, references, structure
from renderer.registry import Page, Problem, render_nodes

__all__ = [
    "Page",
    "Problem",
    "cells",
    "figures",
    "maths",
    "prose",
    "questions",
    "references",
    "render_nodes",
    "structure",
]
