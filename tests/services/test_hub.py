"""JupyterHub for a class: the image lints, the configuration says what book/running.md promises."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from traitlets.config import Config

KIT = Path(__file__).parents[2]
HUB = KIT / "services" / "hub"


def configured(monkeypatch, **environment) -> Config:
    """What the configuration file makes of an environment; JupyterHub runs it just so."""
    for name in ("HUB_ADMINS", "HUB_DATA", "HUB_IMAGE", "HUB_GPUS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    config = Config()
    exec((HUB / "jupyterhub_config.py").read_text(), {"get_config": lambda: config})
    return config


def test_hadolint_has_no_objection_to_the_image():
    lint = [shutil.which("hadolint"), "--failure-threshold", "info", "-"]
    assert subprocess.run(lint, input=(HUB / "Dockerfile").read_bytes(), capture_output=True).stdout == b""


def test_the_image_runs_as_somebody_without_rights_and_sets_the_kit_up_by_its_own_command():
    lines = (HUB / "Dockerfile").read_text().splitlines()
    user = lines.index("USER 1000")
    setup = next(i for i, line in enumerate(lines) if "course/bootstrap.py course" in line)
    assert user < setup
    assert not any(line.startswith("USER") for line in lines[user + 1 :])
    assert {".git", ".venv", "build"} <= set((HUB / "Dockerfile.dockerignore").read_text().split())


def test_whoever_sets_up_and_works_owns_the_folders():
    """A folder that WORKDIR makes is root's: the set-up could not make .venv in it, and a volume would be root's."""
    text = (HUB / "Dockerfile").read_text()
    made = text.partition("\nWORKDIR")[0].rpartition("install --directory --owner intern --group intern ")[2].split()
    worked_in = {line.split()[-1] for line in text.splitlines() if line.startswith("WORKDIR")}
    assert worked_in == set(made) == {"/home/intern/course", "/home/intern/work"}


def test_without_cards_nobody_gets_one(monkeypatch):
    config = configured(monkeypatch, HUB_ADMINS="ada,grace")
    assert config.Authenticator.admin_users == {"ada", "grace"}
    assert "device_requests" not in config.DockerSpawner.extra_host_config
    assert "active_server_limit" not in config.JupyterHub


@pytest.mark.parametrize("cards", [1, 4])
def test_with_cards_no_more_servers_run_than_there_are_cards(monkeypatch, cards):
    config = configured(monkeypatch, HUB_GPUS=str(cards))
    assert config.DockerSpawner.extra_host_config["device_requests"][0]["Count"] == 1
    assert config.JupyterHub.active_server_limit == cards


def test_interns_share_the_exchange_and_nothing_else(monkeypatch):
    volumes = configured(monkeypatch, HUB_DATA="/data").DockerSpawner.volumes
    shared = [place for place in volumes if "{username}" not in place]
    assert shared == ["/data/exchange"]


def test_on_kubernetes_one_machine_is_chosen_unless_another_is_and_cards_are_asked_for_by_number():
    values = yaml.safe_load((HUB / "values.yaml").read_text())
    profiles = values["singleuser"]["profileList"]
    assert [profile.get("default", False) for profile in profiles] == [True, False, False]
    asked = [profile.get("kubespawner_override", {}).get("extra_resource_limits") for profile in profiles]
    assert asked == [None, {"nvidia.com/gpu": "1"}, {"nvidia.com/mig-1g.10gb": "1"}]
    mounted = {mount["name"] for mount in values["singleuser"]["storage"]["extraVolumeMounts"]}
    assert mounted == {volume["name"] for volume in values["singleuser"]["storage"]["extraVolumes"]}


def test_both_hubs_give_the_same_memory_and_end_idle_servers_after_the_same_time(monkeypatch):
    config, values = configured(monkeypatch), yaml.safe_load((HUB / "values.yaml").read_text())
    assert config.Spawner.mem_limit == values["singleuser"]["memory"]["limit"]
    assert f"--timeout={values['cull']['timeout']}" in config.JupyterHub.services[0]["command"]


def test_the_page_names_what_is_there():
    page = (KIT / "book" / "running.md").read_text()
    for name in ("services/hub/Dockerfile", "services/hub/jupyterhub_config.py", "services/hub/values.yaml"):
        assert name in page and (KIT / name).is_file()
