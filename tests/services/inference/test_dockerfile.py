"""The service's Dockerfile: no linter objects, it is no root's, and what it installs is what the service imports."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parents[3] / "services" / "inference"
DOCKERFILE = FOLDER / "Dockerfile"
LOADED = """
import json, sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)

hidden = set(json.loads(sys.argv[1]))
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
import services.inference.command, services.inference.app, services.inference.server, services.inference.smollm
import course.moonshine, course.language.pretrained
with course.language.pretrained._quietly():
    from transformers import AutoTokenizer, GgufConfig, LlamaForCausalLM
import gguf, onnxruntime, soxr, uvicorn.protocols.http.httptools_impl, uvicorn.lifespan.on
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} & hidden)))
"""


def test_hadolint_has_no_objection():
    """It has objections to a bad file, so that its silence says something."""
    lint = [shutil.which("hadolint"), "--failure-threshold", "info", "-"]
    done = subprocess.run(lint, input=DOCKERFILE.read_bytes(), capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")
    bad = subprocess.run(lint, input=b"FROM debian\nRUN sudo apt-get install python3\n", capture_output=True)
    assert bad.returncode == 1


def test_the_last_stage_is_small_has_no_root_and_says_how_it_is():
    text = DOCKERFILE.read_text()
    last = text.rpartition("\nFROM ")[2]
    assert last.startswith("${BASE}\n") and "pip" not in last
    assert re.search(r"^USER 10001$", last, re.M) and "HEALTHCHECK" in last and "/healthz" in last
    assert re.search(r'^ENTRYPOINT \["python3", "-m", "services.inference"\]$', last, re.M)
    assert text.count("FROM ${BASE}") == 2 and "ARG BASE=" in text


def test_every_stage_is_named_in_full_so_that_buildah_finds_it():
    """Buildah passes over stages that only a variable's value names, and then misses them."""
    stages = re.findall(r"^FROM (\S+)(?: AS (\w+))?$", DOCKERFILE.read_text(), re.M)
    named = {"${BASE}"} | {name for _, name in stages}
    assert {base for base, _ in stages} <= named
    assert set(re.findall(r"COPY --from=(\S+)", DOCKERFILE.read_text())) <= named


def test_settings_of_pip_come_as_a_secret_and_stay_out_of_the_layers():
    for line in re.findall(r"^RUN (.*(?:\n +.*)*)", DOCKERFILE.read_text(), re.M):
        if "pip install" in line or "MODELS" in line:  # a model comes by pip, too
            assert line.startswith("--mount=type=secret,id=pip,target=/etc/pip.conf ")
    assert "pip.conf" not in "".join(re.findall(r"^COPY .*$", DOCKERFILE.read_text(), re.M))


def test_only_what_the_service_needs_is_sent_to_the_builder():
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*" and {"course/tree", "**/node_modules", "**/__pycache__"} <= set(ignored)
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE.read_text(), re.M)
    assert {name.rstrip("/") for line in copied for name in line.split()} <= allowed | {
        "services/inference/requirements.txt"
    }


def closure(names: set[str]) -> set[str]:
    """Distributions and all that they ask for here."""
    found, waiting = set(), list(names)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        key = f"{name}[{','.join(sorted(requirement.extras))}]"
        if key in found:
            continue
        found.add(key)
        try:
            asked = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for text in asked:
            one = Requirement(text)
            extras = requirement.extras or {""}
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(text)
    return {key.partition("[")[0] for key in found}


def test_what_the_service_imports_is_what_the_image_installs():
    """All other packages of this environment are hidden from it."""
    lines = (FOLDER / "requirements.txt").read_text().splitlines()
    named = {line for line in lines if line and not line.startswith("#")}
    installed = closure(named) | {"from-waveform-to-cloud"}
    owners = importlib.metadata.packages_distributions()
    hidden = [name for name, by in owners.items() if not installed & {canonicalize_name(one) for one in by}]
    assert {"django", "matplotlib", "torchao", "jupyterlab"} <= set(hidden)
    command = [sys.executable, "-c", LOADED, json.dumps(hidden)]
    done = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    lock = (FOLDER.parents[1] / "requirements.lock").read_text().splitlines()
    assert {canonicalize_name(Requirement(name).name) for name in named} <= {
        canonicalize_name(line.partition("==")[0]) for line in lock
    }
