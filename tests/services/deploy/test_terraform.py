"""The Terraform files: they parse, hang together, and start the service as it wants to be started."""

import re
import shutil
import subprocess
from pathlib import Path

import hcl2
import pytest

from services.inference.app import create_app
from services.inference.engines import FakeChat, FakeSpeech
from services.inference.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "services" / "deploy" / "terraform"
DOCKERFILE = (ROOT / "services" / "inference" / "Dockerfile").read_text()
TERRAFORM = shutil.which("terraform")


def plain(value):
    """Parsed values without the parser's quotes and notes."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.strip('"') if isinstance(value, str) else value


def blocks(kind):
    """Blocks of a kind of all files, with their labels in front."""
    return [one for path in sorted(FOLDER.glob("*.tf")) for one in plain(hcl2.loads(path.read_text())).get(kind, [])]


@pytest.fixture(scope="module")
def variables():
    return {name: body for one in blocks("variable") for name, body in one.items()}


@pytest.fixture(scope="module")
def resources():
    return {kind: body for one in blocks("resource") for kind, body in one.items()}


@pytest.fixture(scope="module")
def template(resources):
    return resources["google_cloud_run_v2_service"]["inference"]["template"][0]


@pytest.fixture(scope="module")
def settings():
    """The variables that the container gets; what Terraform computes is put in by hand."""
    given = blocks("locals")[0]["settings"]
    given |= {"INFERENCE_PROJECT": "a-project", "INFERENCE_MAX_BATCH": "16"}
    return Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in given.items()})


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on this machine")
def test_files_are_formatted():
    done = subprocess.run(
        [TERRAFORM, "fmt", "-check", "-diff", "-recursive", str(FOLDER)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_variable_says_what_it_is_and_is_used(variables):
    text = "\n".join(path.read_text() for path in FOLDER.glob("*.tf"))
    used = set(re.findall(r"\bvar\.(\w+)", text.replace("condition ", "")))
    assert set(variables) == set(re.findall(r"\bvar\.(\w+)", text)) == used
    for name, body in variables.items():
        assert body["type"] and body["description"].endswith("."), name


def test_only_what_has_no_good_default_must_be_told(variables):
    assert {name for name, body in variables.items() if "default" not in body} == {"project", "image_tag"}


def test_references_lead_somewhere(resources):
    text = "\n".join(path.read_text() for path in FOLDER.glob("*.tf"))
    for kind, name in re.findall(r"\b(google_\w+)\.(\w+)\b", text):
        assert name in resources[kind], f"{kind}.{name}"
    named = {name for one in blocks("locals") for name in one}
    assert set(re.findall(r"\blocal\.(\w+)", text)) == named
    assert all(body["description"] for one in blocks("output") for body in one.values())


def test_the_container_is_the_services(template, settings):
    container = template["containers"][0]
    port = int(re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.M)[1])
    paths = create_app(Settings(engine="fake"), FakeChat(), FakeSpeech()).openapi()["paths"]
    assert container["ports"][0]["container_port"] == port == settings.port
    for probe in ("startup_probe", "liveness_probe"):
        asked = container[probe][0]["http_get"][0]
        assert asked["port"] == port and asked["path"] in paths
    assert container["liveness_probe"][0]["http_get"][0]["path"] == "/healthz"


def test_weights_are_mounted_read_only_where_the_image_looks(template):
    folder = re.search(r"\bCOURSE_DATA_DIR=(\S+)", DOCKERFILE.rpartition("USER ")[2])[1]
    mount, volume = template["containers"][0]["volume_mounts"][0], template["volumes"][0]
    assert mount["mount_path"] == folder and mount["name"] == volume["name"]
    assert volume["gcs"][0]["read_only"] is True


def test_there_is_time_to_end_and_to_answer(template, settings):
    assert settings.drain_delay + settings.drain_seconds < 10, "Cloud Run kills after 10 s"
    assert settings.answer_seconds < int(template["timeout"].removesuffix("s"))


def test_a_full_batch_starts_the_next_instance(template, variables):
    assert template["max_instance_request_concurrency"] == "${var.max_batch}"
    assert blocks("locals")[0]["settings"]["INFERENCE_MAX_BATCH"] == "${tostring(var.max_batch)}"
    assert variables["max_batch"]["default"] == Settings().max_batch


def test_nothing_is_public(resources, variables):
    bucket = resources["google_storage_bucket"]["models"]
    assert bucket["public_access_prevention"] == "enforced" and bucket["uniform_bucket_level_access"] is True
    assert variables["invokers"]["default"] == []
    assert resources["google_storage_bucket_iam_member"]["reads_models"]["role"] == "roles/storage.objectViewer"
    assert "allUsers" not in "".join(path.read_text() for path in FOLDER.glob("*.tf"))
