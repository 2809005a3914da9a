"""What the portal keeps: accounts, conversations with what was said in them, and measurement records."""

import secrets

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q

ADJECTIVES = (
    *("amber", "brisk", "calm", "deft", "eager", "fleet", "grand", "hardy", "keen"),
    *("lucid", "merry", "noble", "plain", "quick", "ruddy", "solid", "tidy", "vivid"),
)
BIRDS = (
    *("avocet", "bittern", "crane", "dunlin", "egret", "finch", "grebe", "heron", "ibis"),
    *("jackdaw", "kestrel", "linnet", "merlin", "nuthatch", "osprey", "plover", "teal", "wagtail"),
)


def new_pseudonym() -> str:
    """A name that tells nothing of who has it, such as "brisk heron 4831"."""
    return f"{secrets.choice(ADJECTIVES)} {secrets.choice(BIRDS)} {secrets.randbelow(9000) + 1000}"


class Account(AbstractUser):
    """A person: an instructor if ``is_staff``, else an intern. The leaderboard shows the pseudonym."""

    pseudonym = models.CharField(max_length=80, unique=True, default=new_pseudonym)

    class Meta:
        ordering = ("username",)


class ConversationQuerySet(models.QuerySet):
    """Conversations, by who may see them."""

    def seen_by(self, account) -> models.QuerySet:
        """All for an instructor, their own for an intern, none for anybody else."""
        if not account.is_authenticated:
            return self.none()
        return self if account.is_staff else self.filter(owner=account.username)

    def with_words(self, words: str) -> models.QuerySet:
        """Those whose name, title or turns contain the words."""
        said = Turn.objects.filter(conversation=models.OuterRef("pk"))
        said = said.filter(Q(text__icontains=words) | Q(question__icontains=words))
        return self.filter(Q(name__icontains=words) | Q(title__icontains=words) | models.Exists(said))


class Conversation(models.Model):
    """A conversation; what it consists of is in its turns, and the rest is drawn from them."""

    id = models.CharField(primary_key=True, max_length=300)
    owner = models.CharField(max_length=150, blank=True, db_index=True)
    name = models.CharField(max_length=128)
    title = models.CharField(max_length=100, blank=True)
    titled = models.CharField(max_length=80, blank=True)  # time and digest of the row that gave the title
    opened = models.DateTimeField(null=True)
    latest = models.DateTimeField(null=True, db_index=True)

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ("-latest", "id")


class Turn(models.Model):
    """What one log entry says of a conversation (:class:`services.portal.entries.Said`), named by its content."""

    digest = models.CharField(primary_key=True, max_length=32)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="turns")
    insert_id = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=8)
    message = models.CharField(max_length=128)
    parent = models.CharField(max_length=128, blank=True)
    role = models.CharField(max_length=16, blank=True)
    question = models.TextField(blank=True)
    text = models.TextField(blank=True)
    status = models.CharField(max_length=8)
    created = models.DateTimeField()
    model = models.CharField(max_length=200, blank=True)
    prompt_tokens = models.IntegerField(null=True)
    completion_tokens = models.IntegerField(null=True)
    seconds = models.FloatField(null=True)
    scores = models.JSONField(default=dict)
    audio = models.CharField(max_length=128, blank=True)
    chosen = models.BooleanField(null=True)


class MeasurementRecord(models.Model):
    """A measurement record that was handed in (Lab 10), with the speed-up that its samples carry.

    Attributes:
        digest: of the record, as it says itself; the same one is kept once.
        content: the file, compressed.
        ratio, low, high: of the fastest variant; None where the samples carry none.
    """

    owner = models.ForeignKey(Account, models.CASCADE, related_name="records")
    lab = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    handed_in = models.DateTimeField()
    content = models.BinaryField()
    variant = models.CharField(max_length=300, blank=True)
    ratio = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)

    class Meta:
        ordering = ("handed_in", "id")
        indexes = [models.Index(fields=("lab", "owner"))]
