"""The first tables."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import services.portal.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Conversation",
            fields=[
                ("id", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("owner", models.CharField(blank=True, db_index=True, max_length=150)),
                ("name", models.CharField(max_length=128)),
                ("title", models.CharField(blank=True, max_length=100)),
                ("titled", models.CharField(blank=True, max_length=80)),
                ("opened", models.DateTimeField(null=True)),
                ("latest", models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                "ordering": ("-latest", "id"),
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. "
                        "Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "pseudonym",
                    models.CharField(default=services.portal.models.new_pseudonym, max_length=80, unique=True),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of "
                        "their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "ordering": ("username",),
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="Turn",
            fields=[
                ("digest", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("insert_id", models.CharField(blank=True, max_length=200)),
                ("kind", models.CharField(max_length=8)),
                ("message", models.CharField(max_length=128)),
                ("parent", models.CharField(blank=True, max_length=128)),
                ("role", models.CharField(blank=True, max_length=16)),
                ("question", models.TextField(blank=True)),
                ("text", models.TextField(blank=True)),
                ("status", models.CharField(max_length=8)),
                ("created", models.DateTimeField()),
                ("model", models.CharField(blank=True, max_length=200)),
                ("prompt_tokens", models.IntegerField(null=True)),
                ("completion_tokens", models.IntegerField(null=True)),
                ("seconds", models.FloatField(null=True)),
                ("scores", models.JSONField(default=dict)),
                ("audio", models.CharField(blank=True, max_length=128)),
                ("chosen", models.BooleanField(null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="turns", to="portal.conversation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MeasurementRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lab", models.CharField(max_length=80)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("handed_in", models.DateTimeField()),
                ("content", models.BinaryField()),
                ("variant", models.CharField(blank=True, max_length=300)),
                ("ratio", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="records", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("handed_in", "id"),
                "indexes": [models.Index(fields=["lab", "owner"], name="portal_meas_lab_dd2dbd_idx")],
            },
        ),
    ]
