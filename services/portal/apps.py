"""The portal as a Django application."""

from django.apps import AppConfig


class Portal(AppConfig):
    """Its label is in the names of tables."""

    name = "services.portal"
    label = "portal"
    verbose_name = "The course's portal"
