"""Addresses of the composer."""

from __future__ import annotations

from django.urls import path

from webmail.views import compose, compose_files, recipients

urlpatterns = [
    path("compose/", compose.compose_new, name="compose_new"),
    path("compose/editor/", compose.compose_editor, name="compose_editor"),
    path("compose/complete/", recipients.compose_complete, name="compose_complete"),
    path("compose/recipients/", recipients.compose_recipients, name="compose_recipients"),
    path("compose/<int:draft_id>/", compose.compose, name="compose"),
    path("compose/<int:draft_id>/save", compose.compose_save, name="compose_save"),
    path("compose/<int:draft_id>/send", compose.compose_send, name="compose_send"),
    path("compose/<int:draft_id>/discard", compose.compose_discard, name="compose_discard"),
    path("compose/<int:draft_id>/undo/<int:submission_id>", compose.compose_undo, name="compose_undo"),
    path("compose/<int:draft_id>/attach", compose_files.compose_attach, name="compose_attach"),
    path("compose/<int:draft_id>/files/<int:file_id>", compose_files.compose_file, name="compose_file"),
    path("compose/<int:draft_id>/files/<int:file_id>/remove", compose_files.compose_detach, name="compose_detach"),
]
