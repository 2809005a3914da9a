"""The tree in a notebook in JupyterLab: a click reaches Python, and what Python says reaches the tree."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

KIT = Path(__file__).parents[3]
START_SECONDS = 120
PATIENCE = 90_000  # milliseconds that a busy machine may take for a page
CELL = """
from pathlib import Path
from course.tree import ConversationTree
from course.tree.made_up import made_up

tree = ConversationTree(made_up(30), height="20rem")

told = []

def answer(change):
    told.append(change["new"])
    Path("told.txt").write_text(" ".join(map(str, told)))
    if change["new"] == "turn-1":
        tree.selected = "turn-0"

tree.observe(answer, "selected")
tree
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A folder with the notebook, and its address in a JupyterLab that serves it."""
    home = tmp_path_factory.mktemp("lab")
    work = home / "work"
    work.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    cells = [nbformat.v4.new_code_cell(CELL)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), work / "tree.ipynb")
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = {"port": port, "port_retries": 0, "root_dir": work, "allow_root": True, "open_browser": False}
    arguments = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    environment = os.environ | folders | {"HOME": str(home), "COURSE_ROOT": str(KIT), "PYTHONPATH": str(KIT)}
    command = [sys.executable, "-m", "jupyterlab", *arguments, f"--IdentityProvider.token={token}"]
    log = home / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(command, cwd=work, env=environment, stdout=file, stderr=file)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
        yield work, f"http://127.0.0.1:{port}/lab/tree/tree.ipynb?token={token}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def wait_for(address, server, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="module")
def tab(browser, notebook):
    """The notebook, whose cell has run."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(notebook[1])
    page.locator(".jp-Notebook .jp-CodeCell").first.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_role("tree", name="Turns of Made-up call").wait_for()
    yield page
    context.close()


def told_in_python(notebook, expected):
    """What the kernel was told, as soon as it is what is expected, or after half a minute."""
    file, deadline = notebook[0] / "told.txt", time.monotonic() + 30
    while time.monotonic() < deadline and not (file.exists() and file.read_text() == expected):
        time.sleep(0.1)
    return file.read_text() if file.exists() else None


def test_a_click_and_keys_reach_python_and_python_answers(notebook, tab):
    tree = tab.get_by_role("tree", name="Turns of Made-up call")
    tab.get_by_role("button", name="Outline", exact=True).click()
    tab.get_by_role("treeitem").nth(2).click()
    expect(tab.get_by_role("complementary", name="Turn of user")).to_be_visible()
    assert told_in_python(notebook, "turn-3") == "turn-3"
    tab.get_by_role("button", name="Outline", exact=True).click()
    tree.focus()
    tab.keyboard.press("Home")
    assert told_in_python(notebook, "turn-3 turn-0") == "turn-3 turn-0"
    tab.keyboard.press("ArrowDown")  # a key that JupyterLab would take for itself
    assert told_in_python(notebook, "turn-3 turn-0 turn-1 turn-0") == "turn-3 turn-0 turn-1 turn-0"
    expect(tab.get_by_role("treeitem", selected=True)).to_have_attribute("aria-level", "1")
