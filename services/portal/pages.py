"""What people see. Every page is whole without a script; React draws over the parts that have ``data-view``."""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_safe
from django_ratelimit.decorators import ratelimit
from whitenoise.responders import StaticFile

from course.errors import CourseError
from course.measure.record import Refused
from services.portal.api import found_tree, searched
from services.portal.board import boards, hand_in
from services.portal.classroom import as_json as class_json
from services.portal.classroom import classroom, feedback, feedback_address
from services.portal.drawing import intervals
from services.portal.forms import RecordForm
from services.portal.middleware import Static
from services.portal.models import Conversation
from services.portal.problems import OLD, database_sentence
from services.portal.trees import as_json

# A feedback page brings its style with it, and two fonts; it has no script and asks for nothing else.
FEEDBACK_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "font-src": [SELF],
    "img-src": ["data:"],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
AUDIO_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg"}


def _rate(name: str):
    """A rate from the settings, looked up when it is needed."""
    return lambda group, request: getattr(settings.SET, name)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What there is, and for whom."""
    seen = Conversation.objects.seen_by(request.user)
    return render(request, "portal/home.html", {"conversations": seen.count(), "latest": seen[:5]})


@require_safe
@login_required
def conversations(request: HttpRequest) -> HttpResponse:
    """The conversations that one may see, or those of them that have some words."""
    page, words = searched(request)
    return render(request, "portal/conversations.html", {"page": page, "words": words})


@require_safe
@login_required
def conversation(request: HttpRequest, identifier: str) -> HttpResponse:
    """A conversation: the way that was taken, with a link to each alternative, and all of it for the view."""
    kept, found = found_tree(request.user, identifier)
    said = {
        problem.node: [one.message for one in found.problems if one.node == problem.node] for problem in found.problems
    }
    below: dict[str | None, list] = {}
    for node in found.nodes:
        below.setdefault(node.parent, []).append(node)
    steps = [
        {
            "node": node,
            "problems": said.get(node.id, ()),
            "alternatives": [other for other in below[node.parent] if other is not node],
        }
        for node in found.way(request.GET.get("at"))
    ]
    title = kept.title or kept.name
    data = as_json(kept.id, title, found)
    about = {"kept": kept, "title": title, "steps": steps, "tree": found, "data": data}
    return render(request, "portal/conversation.html", about)


@require_safe
@login_required
def audio(request: HttpRequest, identifier: str, name: str) -> HttpResponse:
    """A recording of a turn, in parts where a player asks for parts."""
    kept = Conversation.objects.seen_by(request.user).filter(pk=identifier, turns__audio=name).first()
    path = settings.DATA / "audio" / name
    if kept is None or name.startswith(".") or not path.is_file():
        raise Http404
    kind = AUDIO_TYPES.get(path.suffix.lower(), "application/octet-stream")
    headers = [
        ("Content-Type", kind),
        ("Cache-Control", "private, max-age=3600"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return Static.serve(StaticFile(str(path), headers), request)


@require_safe
def leaderboard(request: HttpRequest) -> HttpResponse:
    """The leaderboard of a lab, for everybody."""
    labs = boards(request.user)
    chosen = next((lab for lab in labs if lab["lab"] == request.GET.get("lab")), labs[0] if labs else None)
    about = {"labs": labs, "board": chosen, "drawn": intervals(chosen["rows"]) if chosen else None}
    return render(request, "portal/leaderboard.html", about)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@ratelimit(key="user", rate=_rate("upload_rate"), method="POST", group="records")
def records(request: HttpRequest) -> HttpResponse:
    """One's own measurement records, and handing in another."""
    form = RecordForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        form = RecordForm(request.POST, request.FILES)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["record"]
        try:
            kept = hand_in(request.user, file.read(), "The file")
        except Refused as refused:
            form.add_error("record", str(refused))
        else:
            messages.success(request, f"Kept for {kept.lab}. The leaderboard shows it under your pseudonym.")
            return redirect("records")
    own = request.user.records.defer("content").order_by("-handed_in")
    return render(request, "portal/records.html", {"form": form, "records": own}, status=422 if form.errors else 200)


@require_safe
@login_required
def class_view(request: HttpRequest) -> HttpResponse:
    """Who is stuck and how each task goes, for instructors."""
    if not request.user.is_staff:
        raise PermissionDenied("The class is for instructors; your own results are on the page of your account.")
    try:
        found = classroom(settings.SET.class_dir)
    except CourseError as error:
        return render(request, "portal/class.html", {"sentence": str(error)})
    lab = found.labs.get(request.GET.get("lab")) or next(iter(found.labs.values()))
    everybody = [(result, feedback_address(result)) for result in lab.results]
    about = {
        "labs": found.labs.values(),
        "lab": lab,
        "missing": found.missing,
        "everybody": everybody,
        "data": class_json(lab),
    }
    return render(request, "portal/class.html", about)


@require_safe
@login_required
@csp(FEEDBACK_POLICY)
def feedback_page(request: HttpRequest, student: str, lab: str, page: str) -> HttpResponse:
    """What the autograder wrote to a student about a notebook: for that student, and for instructors."""
    folder = settings.SET.class_dir
    try:
        found = classroom(folder)
    except CourseError as error:
        raise Http404 from error
    results = found.results if request.user.is_staff else found.of(request.user.username)
    path = feedback(folder, results, request.path)
    if path is None:
        raise Http404
    return HttpResponse(path.read_bytes(), headers={"Cache-Control": "private, no-cache"})


@require_safe
@login_required
def feedback_font(request: HttpRequest, name: str) -> HttpResponse:
    """A font of the feedback pages, from the class folder."""
    path = settings.SET.class_dir / "assets" / f"{name}.woff2"
    if name.startswith(".") or not path.is_file():
        raise Http404
    return Static.serve(StaticFile(str(path), [("Content-Type", "font/woff2")]), request)


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, and what one has reached."""
    try:
        results = classroom(settings.SET.class_dir).of(request.user.username)
    except CourseError:
        results = []
    about = {"results": [(one, feedback_address(one)) for one in results]}
    return render(request, "portal/account.html", about)


@method_decorator(ratelimit(key="ip", rate=_rate("login_rate"), method="POST", group="login"), name="post")
@method_decorator(ratelimit(key="post:username", rate=_rate("login_rate"), method="POST", group="name"), name="post")
class Login(LoginView):
    """Logging in; who tries too often, from an address or with a name, has to wait."""

    template_name = "portal/login.html"
    redirect_authenticated_user = True


class Password(PasswordChangeView):
    """Changing one's password."""

    template_name = "portal/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form):
        """Say so, too."""
        messages.success(self.request, "The password is changed.")
        return super().form_valid(form)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process lives."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers and is of this version, else 503 with a sentence."""
    try:
        executor = MigrationExecutor(connection)
        sentence = OLD if executor.migration_plan(executor.loader.graph.leaf_nodes()) else ""
    except Exception as error:
        sentence = database_sentence(error)
        if sentence is None:
            raise
    return JsonResponse({"ready": not sentence, "database": sentence or "ready"}, status=503 if sentence else 200)
