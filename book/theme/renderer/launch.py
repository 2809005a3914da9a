"""What a reader can take from a page, and where its notebook can be opened.

All launch links come from one setting, ``course: launch:`` in book/myst.yml: the public repository and branch to which
the built site is published, and optionally the address of a JupyterHub with nbgitpuller.
"""

from urllib.parse import quote, urlencode


def actions(about: dict, launch: dict) -> list[dict]:
    """Links under a page's title: ``{"label", "url", "download"}`` each."""
    links = []
    if about.get("notebook"):
        links.append({"label": "Notebook (.ipynb)", "url": about["notebook"], "download": True})
    if about.get("slides"):
        links.append({"label": "Slides", "url": about["slides"], "download": False})
    if about.get("notebook") and launch.get("repository"):
        path = about["url"] + about["notebook"]
        links += [{"label": label, "url": url, "download": False} for label, url in launchers(path, launch)]
    return links


def launchers(path: str, launch: dict) -> list[tuple[str, str]]:
    """(label, address) of every place that can open the notebook at ``path`` of the published branch."""
    repository, branch = launch["repository"].rstrip("/"), launch.get("branch", "gh-pages")
    owner_and_name = "/".join(repository.split("/")[-2:])
    found = [
        (
            "Binder",
            f"https://mybinder.org/v2/gh/{owner_and_name}/{quote(branch, safe='')}?{urlencode({'labpath': path})}",
        ),
        ("Colab", f"https://colab.research.google.com/github/{owner_and_name}/blob/{quote(branch)}/{quote(path)}"),
    ]
    if launch.get("hub"):
        name = repository.split("/")[-1]
        pull = {"repo": repository, "branch": branch, "urlpath": f"lab/tree/{name}/{path}"}
        found.append(("JupyterHub", f"{launch['hub'].rstrip('/')}/hub/user-redirect/git-pull?{urlencode(pull)}"))
    return found
