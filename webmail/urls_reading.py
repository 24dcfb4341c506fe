"""Addresses of one mail and what belongs to it."""

from __future__ import annotations

from django.urls import path

from webmail.views import attachment, body, conversation, message, picture, source

urlpatterns = [
    path("mail/<int:folder_id>/<int:entry_id>/", message.message, name="message"),
    path("mail/<int:folder_id>/thread/<int:thread_id>/", conversation.conversation, name="conversation"),
    path("message/<int:entry_id>/body", body.message_body, name="message_body"),
    path("message/<int:entry_id>/image", picture.message_image, name="message_image"),
    path("message/<int:entry_id>/cid", picture.message_cid, name="message_cid"),
    path("message/<int:entry_id>/trust-images", message.trust_images, name="message_trust_images"),
    path("message/<int:entry_id>/part/<str:number>", attachment.attachment, name="attachment"),
    path("message/<int:entry_id>/attachments.zip", attachment.attachments, name="attachments"),
    path("message/<int:entry_id>/source", source.source, name="source"),
    path("message/<int:entry_id>/original.eml", source.original, name="original"),
]
