"""The README's tables are those of the code."""

from pathlib import Path

from services.portal.configuration import Configuration

README = (Path(__file__).parents[3] / "services" / "portal" / "README.md").read_text()


def test_every_setting_is_listed_with_its_default():
    listed = [line for line in README.splitlines() if line.startswith("| `PORTAL_")]
    wanted = []
    for name, field in Configuration.model_fields.items():
        default = "–" if field.default in (None, "") else f"`{field.default}`"
        wanted.append(f"| `PORTAL_{name.upper()}` | {default} | {field.description} |")
    assert listed == wanted
