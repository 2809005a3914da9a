"""What people send: a name and password, and measurement records."""

from django import forms
from django.conf import settings

KIB = 1024


class RecordForm(forms.Form):
    """A measurement record as a file."""

    record = forms.FileField(
        label="Measurement record",
        help_text="The JSON file that course measure run wrote.",
        widget=forms.ClearableFileInput(attrs={"accept": ".json,application/json"}),
        error_messages={
            "required": "Choose the record's file first.",
            "empty": "The file is empty; a measurement record was expected.",
        },
    )

    def clean_record(self):
        """The file, if it is not too long."""
        found = self.cleaned_data["record"]
        if found.size > settings.SET.upload_bytes:
            raise forms.ValidationError(
                f"The file has {found.size // KIB:,} KiB, and {settings.SET.upload_bytes // KIB:,} are taken at most. "
                "Measure with fewer rounds or variants."
            )
        return found
