"""Tags and filters of the portal's templates."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from django_vite.core.asset_loader import DjangoViteAssetLoader
from django_vite.core.exceptions import DjangoViteAssetNotFoundError, DjangoViteManifestError

register = template.Library()


@register.simple_tag
def view_assets(name: str) -> SafeString:
    """Script and style of a view out of Vite's manifest; nothing where the front end has not been built."""
    try:
        return mark_safe(DjangoViteAssetLoader.instance().generate_vite_asset(f"src/{name}.jsx"))
    except (DjangoViteAssetNotFoundError, DjangoViteManifestError):
        return mark_safe("")


@register.filter
def times(value: float | None) -> str:
    """A ratio with three digits, such as "3.21 ×"."""
    return "–" if value is None else f"{value:.3g} ×"


@register.filter
def points(value: float) -> str:
    """Points without a needless ".0"."""
    return f"{value:g}"
