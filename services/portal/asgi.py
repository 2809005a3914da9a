"""The portal as an ASGI application, for uvicorn: ``uvicorn services.portal.asgi:application``."""

from services.portal.start import ready

ready()

from django.conf import settings  # noqa: E402 - Django reads its settings as it is imported
from django.core.asgi import get_asgi_application  # noqa: E402

from services.portal.limits import Limits  # noqa: E402

FORM = 64 << 10  # bytes around a file in a form
application = Limits(
    get_asgi_application(),
    {"/records/": settings.SET.upload_bytes + FORM},
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
)
