"""Addresses of mail on its way: what waits, what became of it, who must agree."""

from __future__ import annotations

from django.urls import path

from webmail.views import approvals, outbox, sending, ways

urlpatterns = [
    path("mailbox/<int:mailbox_id>/outbox/", outbox.outbox_page, name="outbox"),
    path("mailbox/<int:mailbox_id>/outbox/<int:submission_id>/", outbox.outbox_act, name="outbox_act"),
    path("mailbox/<int:mailbox_id>/outbox/<int:submission_id>/body", outbox.outbox_body, name="outbox_body"),
    path(
        "mailbox/<int:mailbox_id>/outbox/<int:submission_id>/part/<str:number>",
        outbox.outbox_part,
        name="outbox_part",
    ),
    path("way/<int:submission_id>/", ways.way, name="way"),
    path("way/<int:submission_id>/recall/", ways.way_recall, name="way_recall"),
    path("logs/delivery/", ways.delivery_log_page, name="delivery_log"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<int:approval_id>/body", approvals.approval_body, name="approval_body"),
    path("approvals/<int:approval_id>/part/<str:number>", approvals.approval_part, name="approval_part"),
    path("approve/<str:token>/", approvals.approval_link, name="approval_link"),
    path("logs/approvals/", approvals.approval_log_page, name="approval_log"),
    path("sending/", sending.sending, name="sending"),
]
