"""JSON for the views, version 1; the pages embed the same, so that a view is drawn without a further request."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from services.portal.board import boards
from services.portal.models import Conversation
from services.portal.problems import problem
from services.portal.store import said
from services.portal.trees import VERSION, Tree, as_json, tree

PAGE = 25
LONGEST_SEARCH = 200


def found_tree(account, identifier: str) -> tuple[Conversation, Tree]:
    """A conversation and its tree.

    Raises:
        Http404: there is none, or it is not for this account, which is not told apart.
    """
    conversation = Conversation.objects.seen_by(account).filter(pk=identifier).first()
    if conversation is None:
        raise Http404
    found = tree(said(turn) for turn in conversation.turns.select_related("conversation"))
    for node in found.nodes:
        if node.audio:
            node.audio = reverse("audio", args=[identifier, node.audio])
    return conversation, found


def searched(request: HttpRequest):
    """The page of conversations that an address asks for, each with its number of turns, and the words."""
    words = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH]
    conversations = Conversation.objects.seen_by(request.user)
    if words:
        conversations = conversations.with_words(words)
    page = Paginator(conversations, PAGE).get_page(request.GET.get("page"))
    counts = dict(
        Conversation.objects.filter(pk__in=[one.pk for one in page]).annotate(n=Count("turns")).values_list("pk", "n")
    )
    for one in page:
        one.n_entries = counts[one.pk]
    return page, words


@require_safe
def conversation(request: HttpRequest, identifier: str) -> JsonResponse:
    """GET /api/conversations/<id>/"""
    if not request.user.is_authenticated:
        return problem(request, 401, "Log in first: conversations are for those whose they are, and for instructors.")
    kept, found = found_tree(request.user, identifier)
    return JsonResponse(as_json(kept.id, kept.title or kept.name, found))


@require_safe
def conversations(request: HttpRequest) -> JsonResponse:
    """GET /api/conversations/?q=&page="""
    if not request.user.is_authenticated:
        return problem(request, 401, "Log in first: conversations are for those whose they are, and for instructors.")
    page, words = searched(request)
    return JsonResponse(
        {
            "version": VERSION,
            "q": words,
            "page": page.number,
            "pages": page.paginator.num_pages,
            "count": page.paginator.count,
            "conversations": [_listed(one) for one in page],
        }
    )


@require_safe
def leaderboard(request: HttpRequest) -> JsonResponse:
    """GET /api/leaderboard/"""
    return JsonResponse({"version": VERSION, "labs": boards(request.user)})


def _listed(one: Conversation) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title or one.name,
        "owner": one.owner or None,
        "opened": one.opened,
        "latest": one.latest,
        "entries": one.n_entries,
    }
