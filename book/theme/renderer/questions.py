"""What the reader does: predict, check, exercise, play with a widget."""

import json

from renderer.references import address
from renderer.registry import Page, attributes, escape, render_nodes, renders, text_of


@renders("predict", "kind variant answer tolerance unit enumerated enumerator")
def predict(node: dict, page: Page) -> str:
    page.features.add("questions")
    question, *rest = node["children"]
    legend = f'<legend><span class="title">Predict</span> {page.children(question)}</legend>'
    name = f"predict-{page.number()}"
    body = choices(rest, name, page) if node["variant"] == "choice" else number_field(node, rest[0], name, page)
    frame = attributes(id=node.get("html_id"), data_variant=node["variant"])
    return f'<form class="box predict"{frame}><fieldset>{legend}{body}</fieldset></form>\n'


def choices(options: list[dict], name: str, page: Page) -> str:
    """Radio buttons; why each answer is right or wrong stays folded until the reader has committed to one."""
    rows, reasons = [], []
    for index, option in enumerate(options):
        answer, reason = (page.children(child) for child in option["children"])
        right = "true" if option["right"] else "false"
        rows.append(f'<label><input type="radio" name="{name}" value="{index}" required> <span>{answer}</span></label>')
        word = "right" if option["right"] else "wrong"
        reasons.append(
            f'<div data-right="{right}"><dt>{answer} <span class="tag {word}">{word}</span></dt><dd>{reason}</dd></div>'
        )
    return commit(f'<div class="choices">{"".join(rows)}</div>', f"<dl>{''.join(reasons)}</dl>")


@renders("predictQuestion predictChoice predictAnswer predictReason checkpointQuestion checkpointAnswer", "right")
def part(node: dict, page: Page) -> str:
    return page.children(node)


def number_field(node: dict, reason: dict, name: str, page: Page) -> str:
    unit = escape(node["unit"])
    frame = attributes(data_answer=node["answer"], data_tolerance=node["tolerance"], data_unit=node["unit"])
    field = (
        f'<label class="number-field"{frame}><span>Your prediction</span> '
        f'<input type="text" inputmode="decimal" name="{name}" autocomplete="off" required> <span>{unit}</span></label>'
    )
    answer = f"{node['answer']:,} {unit}".strip()
    near = f" (within {node['tolerance']:,} {unit})" if node["tolerance"] else ""
    return commit(field, f"<p><strong>{answer}</strong>{near}</p>{page.children(reason)}")


def commit(field: str, outcome: str) -> str:
    """The field, the button, and the outcome: folded without scripts, shown after commitment with them."""
    return (
        f'{field}<p class="commit needs-script"><button type="submit">Commit</button></p>'
        f'<p class="verdict" role="status"></p>'
        f'<details class="outcome"><summary>Show the answer</summary>{outcome}</details>'
    )


@renders("checkpoint")
def checkpoint(node: dict, page: Page) -> str:
    question, answer = node["children"]
    page.checkpoints += 1
    number = page.checkpoints
    folded = f"<details><summary>Show the answer</summary>{page.children(answer)}</details>"
    frame = attributes(id=node.get("html_id"))
    return (
        f'<section class="box checkpoint"{frame} aria-label="Checkpoint {number}"><p class="title">Checkpoint</p>'
        f"{page.children(question)}{folded}</section>\n"
    )


@renders("exercise", "enumerated enumerator class hidden nonumber kind")
def exercise(node: dict, page: Page) -> str:
    children = node["children"]
    titled = bool(children) and children[0]["type"] == "admonitionTitle"
    name = f"Exercise {node.get('enumerator') or ''}".strip()
    note = f' <span class="note">{page.children(children[0])}</span>' if titled else ""
    body = render_nodes(children[1:] if titled else children, page)
    frame = attributes(id=node.get("html_id"), aria_label=name)
    return f'<section class="box exercise"{frame}><p class="title">{name}{note}</p>{body}</section>\n'


@renders("solution", "class enumerated hidden kind")
def solution(node: dict, page: Page) -> str:
    title, *rest = node["children"]
    # A summary must not contain a link (it is a button itself), so only the title's words are kept.
    return (
        f'<details class="box solution"{attributes(id=node.get("html_id"))}>'
        f"<summary>{escape(text_of(title))}</summary>{render_nodes(rest, page)}</details>\n"
    )


@renders("anywidget", "esm css model id class static_assets")
def anywidget(node: dict, page: Page) -> str:
    page.features.add("widgets")
    model = node.get("model") or {}
    name = model.get("title") or "Interactive figure"
    frame = attributes(
        data_module=address(node["esm"], page),
        data_css=address(node["css"], page) if node.get("css") else None,
        data_model=json.dumps(model, separators=(",", ":"), sort_keys=True),
        aria_label=name,
    )
    return (
        f'<div class="widget" role="group"{frame}><p class="widget-note">Loading {escape(name)} …</p>'
        "<noscript><p>This figure is interactive and needs JavaScript.</p></noscript></div>\n"
    )
