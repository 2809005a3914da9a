"""What every page knows."""

from django.conf import settings


def about(request) -> dict:
    """Whether the course's face is on this machine."""
    return {"has_fonts": settings.HAS_FONTS}
