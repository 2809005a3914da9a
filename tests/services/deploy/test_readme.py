"""The README's commands name what is there and say the same as the files beside it."""

import re
from pathlib import Path

import yaml

from services.inference.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "services" / "deploy"
TEXT = (FOLDER / "README.md").read_text()
COMMANDS = "\n".join(re.findall(r"```bash\n(.*?)```", TEXT, re.S))
TERRAFORM = "\n".join(path.read_text() for path in (FOLDER / "terraform").glob("*.tf"))


def option(name):
    """The value of an option of `gcloud run deploy`."""
    return re.search(rf"--{name}[ =](\S+)", COMMANDS)[1]


def default(variable):
    return re.search(rf'variable "{variable}".*?default\s*=\s*"?([\w.]+)', TERRAFORM, re.S)[1]


def test_paths_are_there():
    named = set(re.findall(r"\b((?:services|kubernetes|terraform)/[\w./-]*\w)", TEXT))
    assert len(named) >= 5
    for path in named:
        assert (ROOT / path).exists() or (FOLDER / path).exists(), path


def test_the_command_sets_what_terraform_sets():
    block = re.search(r"settings = \{(.*?)\n  \}", TERRAFORM, re.S)[1]
    given = dict(one.split("=", 1) for one in option("set-env-vars").split(","))
    assert set(given) == set(re.findall(r"INFERENCE_\w+", block))
    for name, value in given.items():
        if not value.startswith("$"):
            stated = re.search(rf'{name}\s*=\s*"(\w+)"', block)
            assert value == (stated[1] if stated else default("max_batch")), name
    Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in given.items() if "$" not in value})


def test_the_command_asks_for_what_terraform_asks_for():
    pairs = {"cpu": "cpu", "memory": "memory", "min-instances": "min_instances", "max-instances": "max_instances"}
    for flag, variable in (pairs | {"concurrency": "max_batch"}).items():
        assert option(flag) == default(variable), flag
    assert option("port") == re.search(r"container_port = (\d+)", TERRAFORM)[1]
    assert option("timeout") + "s" == re.search(r'timeout\s+= "(\w+)"', TERRAFORM)[1]
    for path in re.findall(r'^ +path = "(/\w+)"', TERRAFORM, re.M):
        assert f"httpGet.path={path}" in COMMANDS
    assert "readonly=true" in COMMANDS and "--no-allow-unauthenticated" in COMMANDS


def test_the_three_numbers_of_the_ending_are_those_of_the_manifests():
    base = FOLDER / "kubernetes" / "base"
    variables = yaml.safe_load((base / "settings.yaml").read_text())["data"]
    grace = yaml.safe_load((base / "deployment.yaml").read_text())["spec"]["template"]["spec"][
        "terminationGracePeriodSeconds"
    ]
    delay, drain = variables["INFERENCE_DRAIN_DELAY"], variables["INFERENCE_DRAIN_SECONDS"]
    assert f'SIGTERM, {delay} s of "not ready", {drain} s to finish, killed after {grace} s' in TEXT


def test_no_price_is_stated():
    assert not re.search(r"[$€]\s?\d|\d\s?(dollars|euros|USD|EUR)", TEXT)
