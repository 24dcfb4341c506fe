"""Addresses of mail on its way: what waits, what became of it, who must agree."""

from __future__ import annotations

from django.urls import path

from webmail.views import outbox

urlpatterns = [
    path("mailbox/<int:mailbox_id>/outbox/", outbox.outbox_page, name="outbox"),
    path("mailbox/<int:mailbox_id>/outbox/<int:submission_id>/", outbox.outbox_act, name="outbox_act"),
]
