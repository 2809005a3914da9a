"""JupyterHub for a class on one server: each intern in a container of the course's image, GPUs for Lab 10.

``HUB_IMAGE``, ``HUB_ADMINS``, ``HUB_DATA`` and ``HUB_GPUS`` come from the environment; book/running.md tells the rest.
"""

import os

c = get_config()  # noqa: F821 - JupyterHub puts it there

ADMINS = {name for name in os.environ.get("HUB_ADMINS", "instructor").split(",") if name}
DATA = os.environ.get("HUB_DATA", "/srv/course")
GPUS = os.environ.get("HUB_GPUS", "") != ""

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.JupyterHub.hub_ip = "0.0.0.0"  # containers reach the hub; the firewall closes its port to everybody else
c.Authenticator.admin_users = ADMINS
c.Authenticator.allow_existing_users = True

c.DockerSpawner.image = os.environ.get("HUB_IMAGE", "waveform-to-cloud:latest")
c.DockerSpawner.remove = True
c.DockerSpawner.network_name = "course"
c.DockerSpawner.notebook_dir = "/home/intern/work"
c.DockerSpawner.volumes = {
    "course-work-{username}": "/home/intern/work",
    f"{DATA}/exchange": {"bind": "/srv/nbgrader/exchange", "mode": "rw"},
}
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = "6G"
c.Spawner.cpu_limit = 2
c.Spawner.environment = {"OMP_NUM_THREADS": "2", "HF_HUB_OFFLINE": "1"}
c.DockerSpawner.extra_host_config = {"security_opt": ["no-new-privileges"], "pids_limit": 512, "shm_size": "1g"}
if GPUS:
    c.DockerSpawner.extra_host_config |= {
        "device_requests": [{"Driver": "nvidia", "Count": 1, "Capabilities": [["gpu"]]}]
    }
    c.JupyterHub.active_server_limit = int(os.environ["HUB_GPUS"])  # an intern a card: shared cards time badly

# A GPU that nobody uses goes back after twenty minutes.
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
c.JupyterHub.services = [
    {"name": "idle-culler", "command": ["python3", "-m", "jupyterhub_idle_culler", "--timeout=1200"]}
]
