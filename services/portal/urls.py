"""Addresses."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LogoutView
from django.urls import path

from services.portal import api, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("conversations/", pages.conversations, name="conversations"),
    path("conversations/<str:identifier>/", pages.conversation, name="conversation"),
    path("conversations/<str:identifier>/audio/<str:name>", pages.audio, name="audio"),
    path("leaderboard/", pages.leaderboard, name="leaderboard"),
    path("records/", pages.records, name="records"),
    path("class/", pages.class_view, name="class"),
    path("class/feedback/<str:student>/<str:lab>/<str:page>.html", pages.feedback_page),
    path("class/assets/<str:name>.woff2", pages.feedback_font),
    path("account/", pages.account, name="account"),
    path("account/password/", login_required(pages.Password.as_view()), name="password"),
    path("login/", pages.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("api/conversations/", api.conversations, name="api-conversations"),
    path("api/conversations/<str:identifier>/", api.conversation, name="api-conversation"),
    path("api/leaderboard/", api.leaderboard, name="api-leaderboard"),
    path("healthz", pages.healthz),
    path("readyz", pages.readyz),
]

handler400 = "services.portal.problems.bad_request"
handler403 = "services.portal.problems.forbidden"
handler404 = "services.portal.problems.not_found"
handler500 = "services.portal.problems.failed"
