"""The manifests: valid for a cluster, no root's, and consistent with the service that they start."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from course.errors import CourseError
from services.inference.app import create_app
from services.inference.engines import FakeChat, FakeSpeech
from services.inference.metrics import Metrics
from services.inference.settings import PREFIX, Settings

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "services" / "deploy" / "kubernetes"
DOCKERFILE = (ROOT / "services" / "inference" / "Dockerfile").read_text()
KUBECTL = shutil.which("kubectl")

rendering = pytest.mark.skipif(KUBECTL is None, reason="kubectl, which renders the folders, is not on this machine")


def documents(path):
    return [one for one in yaml.safe_load_all(path.read_text()) if one]


def rendered(name):
    done = subprocess.run([KUBECTL, "kustomize", str(FOLDER / name)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def of_kind(kind, found):
    return next(one for one in found if one["kind"] == kind)


@pytest.fixture(scope="module")
def base():
    """All documents that the base names, without what kustomize does to them."""
    kustomization = documents(FOLDER / "base" / "kustomization.yaml")[0]
    return [one for name in kustomization["resources"] for one in documents(FOLDER / "base" / name)]


@pytest.fixture(scope="module")
def pod(base):
    return of_kind("Deployment", base)["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def container(pod):
    return pod["containers"][0]


@pytest.fixture(scope="module")
def variables(base):
    return of_kind("ConfigMap", base)["data"]


@pytest.fixture(scope="module")
def settings(variables):
    return Settings(**{name.removeprefix(PREFIX).lower(): value for name, value in variables.items()})


def validate(document):
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_each_document_is_valid_and_the_validator_would_object(base):
    for document in base:
        validate(document)
    wrong = of_kind("Service", base) | {"specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(wrong)


def test_every_file_of_the_base_is_named_in_it():
    named = set(documents(FOLDER / "base" / "kustomization.yaml")[0]["resources"])
    assert named == {path.name for path in (FOLDER / "base").glob("*.yaml")} - {"kustomization.yaml"}


@rendering
@pytest.mark.parametrize("name", ["base", "gpu"])
def test_kubectl_renders_what_is_valid(name):
    found = rendered(name)
    assert {one["kind"] for one in found} >= {"Deployment", "Service", "HorizontalPodAutoscaler", "NetworkPolicy"}
    for document in found:
        validate(document)
    for document in found:
        assert document["kind"] == "Namespace" or document["metadata"]["namespace"] == "inference"


@rendering
def test_the_gpu_variant_asks_for_a_card_and_keeps_everything_else():
    base, gpu = (of_kind("Deployment", rendered(name))["spec"]["template"]["spec"] for name in ("base", "gpu"))
    asked = gpu["containers"][0]["resources"]
    assert asked["requests"]["nvidia.com/gpu"] == asked["limits"]["nvidia.com/gpu"] == "1"
    assert gpu["nodeSelector"] and any(one["key"] == "nvidia.com/gpu" for one in gpu["tolerations"])
    for pod in (base, gpu):
        for added in ("nodeSelector", "tolerations"):
            pod.pop(added, None)
        pod["containers"][0].pop("resources")
    assert base == gpu


def test_the_port_is_the_images(base, container):
    port = container["ports"][0]
    assert port["containerPort"] == Settings().port == int(re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.M)[1])
    assert of_kind("Service", base)["spec"]["ports"][0]["targetPort"] == port["name"]
    assert of_kind("NetworkPolicy", base)["spec"]["ingress"][0]["ports"][0]["port"] == port["name"]
    annotations = of_kind("Deployment", base)["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port["containerPort"])


def test_paths_are_routes_of_the_service(base, container):
    asked = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    asked.add(of_kind("Deployment", base)["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"])
    assert asked == {"/healthz", "/readyz", "/metrics"}
    assert asked <= set(create_app(Settings(engine="fake"), FakeChat(), FakeSpeech()).openapi()["paths"])
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "whoever loads or drains must not be killed"


def test_variables_are_settings_of_the_service(variables, settings, container):
    assert {name.removeprefix(PREFIX).lower() for name in variables} <= set(Settings.model_fields)
    assert all(isinstance(value, str) for value in variables.values())
    assert container["envFrom"] == [{"configMapRef": {"name": "inference-settings"}}]
    assert settings.max_batch >= 1


def test_a_service_of_that_name_would_stop_the_service_and_cannot(pod, base, monkeypatch):
    """Kubernetes' variables for the Service `inference` collide with the settings' prefix."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    assert Settings.from_environment()
    prefix = of_kind("Service", base)["metadata"]["name"].upper() + "_"
    assert prefix == PREFIX
    for name, value in (("PORT", "tcp://10.0.0.7:80"), ("SERVICE_HOST", "10.0.0.7")):
        with monkeypatch.context() as patch, pytest.raises(CourseError):
            patch.setenv(prefix + name, value)
            Settings.from_environment()
    assert pod["enableServiceLinks"] is False


def test_it_runs_as_the_images_user_and_may_nothing(base, pod, container):
    user = int(re.search(r"^USER (\d+)$", DOCKERFILE, re.M)[1])
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] == user
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    own = container["securityContext"]
    assert own["readOnlyRootFilesystem"] is True and own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
    assert of_kind("ServiceAccount", base)["metadata"]["name"] == pod["serviceAccountName"]
    labels = of_kind("Namespace", base)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_it_may_write_to_is_where_the_image_writes(pod, container):
    home = re.search(r"\bHOME=(\S+)", DOCKERFILE)[1]
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    assert set(mounts) == {home}
    volume = next(one for one in pod["volumes"] if one["name"] == mounts[home])
    assert volume["emptyDir"]["sizeLimit"]


def test_there_is_time_to_end(pod, settings):
    assert settings.drain_delay > 0, "proxies need a moment to hear that a pod is no longer ready"
    assert settings.answer_seconds <= settings.drain_seconds
    assert pod["terminationGracePeriodSeconds"] >= settings.drain_delay + settings.drain_seconds + 5


def test_labels_hang_together(base):
    labels = of_kind("Deployment", base)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        of_kind("Deployment", base)["spec"]["selector"]["matchLabels"],
        of_kind("Service", base)["spec"]["selector"],
        of_kind("PodDisruptionBudget", base)["spec"]["selector"]["matchLabels"],
        of_kind("NetworkPolicy", base)["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() and selector for selector in selectors)
    target = of_kind("HorizontalPodAutoscaler", base)["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", of_kind("Deployment", base)["metadata"]["name"])


def test_the_autoscaler_owns_the_number_and_can_be_drained_around(base):
    spec = of_kind("HorizontalPodAutoscaler", base)["spec"]
    assert "replicas" not in of_kind("Deployment", base)["spec"]
    assert 2 <= spec["minReplicas"] < spec["maxReplicas"], "with one replica a drained node is an outage"
    assert of_kind("PodDisruptionBudget", base)["spec"]["maxUnavailable"] < spec["minReplicas"]
    assert {metric["type"] for metric in spec["metrics"]} == {"Resource", "Pods"}


def test_scaling_by_cpu_has_a_request_to_be_a_share_of(container):
    assert container["resources"]["requests"]["cpu"]
    assert "cpu" not in container["resources"]["limits"]
    assert {"memory"} <= set(container["resources"]["requests"]) & set(container["resources"]["limits"])


def test_the_custom_metric_is_one_that_the_service_exposes(base):
    metrics = Metrics()
    metrics.waiting.labels("any").set(0)
    exposed = set(re.findall(r"^(\w+)[{ ]", metrics.text().decode(), re.M))
    pods = [one for one in of_kind("HorizontalPodAutoscaler", base)["spec"]["metrics"] if one["type"] == "Pods"]
    names = {one["pods"]["metric"]["name"] for one in pods}
    rule = documents(FOLDER / "prometheus-adapter.yaml")[0]["rules"]["custom"][0]
    assert names == {rule["name"]["as"]}
    series = re.match(r"\w+", rule["seriesQuery"])[0]
    assert series in exposed and f"sum({series}{{" in rule["metricsQuery"]


def test_the_service_calls_nobody(base):
    policy = of_kind("NetworkPolicy", base)["spec"]
    assert policy["egress"] == [] and set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert all(rule["from"] for rule in policy["ingress"])
