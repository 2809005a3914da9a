"""Getting Django ready, for the command, the server and Beam's workers."""

import os

from services.portal.configuration import configuration
from services.portal.secrets_kept import make_key


def ready() -> None:
    """Make the data folder and the key where they are missing, and set Django up; again changes nothing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "services.portal.settings")
    found = configuration()
    if not found.secret_key:
        make_key(found.folder)
    found.folder.mkdir(parents=True, exist_ok=True)
    import django

    django.setup()
