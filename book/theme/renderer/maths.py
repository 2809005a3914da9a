"""Formulas as MathML, taken from what the engine typeset; no script and no font is loaded for them."""

import re

from renderer.registry import Page, attributes, escape, renders

MATH = re.compile(r"<math.*?</math>", re.S)
ANNOTATION = re.compile(r"<annotation.*?</annotation>|</?semantics>", re.S)


def mathml(node: dict, page: Page, display: bool) -> str:
    """The formula's MathML element, without the TeX annotation that browsers would read aloud twice."""
    found = MATH.search(node.get("html") or "")
    if not found:
        return page.problem(f"the formula {node.get('value', '')!r} could not be typeset")
    element = ANNOTATION.sub("", found[0]).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    if display and 'display="block"' not in element:
        element = element.replace("<math", '<math display="block"', 1)
    return element


@renders("inlineMath", "value html typst message error")
def inline_math(node: dict, page: Page) -> str:
    return mathml(node, page, display=False)


@renders("math", "value html enumerator enumerated typst tight kind message error")
def math(node: dict, page: Page) -> str:
    number = node.get("enumerator")
    label = f"Equation {number}" if number else "Equation"
    shown = f'<span class="number">({escape(number)})</span>' if number else ""
    frame = attributes(id=node.get("html_id"), aria_label=label)
    return f'<div class="equation" role="group" tabindex="0"{frame}>{mathml(node, page, True)}{shown}</div>\n'
