"""Every address of the browser's origin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from webmail.views import (
    act,
    folder,
    folders,
    health,
    home,
    labels,
    metrics,
    preferences,
    programs,
    quarantine,
    recovery,
    search,
    sign_in,
    signed,
    well_known,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", health.health, name="health"),
    path(".well-known/mta-sts.txt", well_known.mta_sts, name="mta_sts"),
    path(".well-known/acme-challenge/<str:token>", well_known.acme_challenge, name="acme_challenge"),
    path(".well-known/autoconfig/mail/config-v1.1.xml", well_known.autoconfig, name="autoconfig_well_known"),
    path("mail/config-v1.1.xml", well_known.autoconfig, name="autoconfig"),
    path("metrics", metrics.metrics_page, name="metrics"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("inbox/", home.inbox, name="inbox"),
    path("mailbox/<int:mailbox_id>/", home.mailbox, name="mailbox"),
    path("mail/<int:folder_id>/", folder.folder, name="folder"),
    path("mailbox/<int:mailbox_id>/todo/", folder.todo, name="todo"),
    path("mailbox/<int:mailbox_id>/todo/done/", folder.todo_done, name="todo_done"),
    path("mailbox/<int:mailbox_id>/labels/", labels.label_list, name="labels"),
    path("mailbox/<int:mailbox_id>/labels/new/", labels.label_new, name="label_new"),
    path("mailbox/<int:mailbox_id>/labels/<int:label_id>/", folder.label, name="label"),
    path("mailbox/<int:mailbox_id>/labels/<int:label_id>/edit/", labels.label_edit, name="label_edit"),
    path("mailbox/<int:mailbox_id>/labels/<int:label_id>/delete/", labels.label_delete, name="label_delete"),
    path("act/", act.act, name="act"),
    path("search/", search.search, name="search"),
    path("mailbox/<int:mailbox_id>/quarantine/", quarantine.quarantine, name="quarantine"),
    path("mailbox/<int:mailbox_id>/quarantine/act/", quarantine.quarantine_act, name="quarantine_act"),
    path("mailbox/<int:mailbox_id>/quarantine/digest/", quarantine.quarantine_digest, name="quarantine_digest"),
    path("mailbox/<int:mailbox_id>/quarantine/<int:mail_id>/", quarantine.quarantine_mail, name="quarantine_mail"),
    path("quarantine/link/<str:token>/", quarantine.quarantine_link, name="quarantine_link"),
    path("recovery/", recovery.recovery, name="recovery"),
    path("folders/new/", folders.folder_new, name="folder_new"),
    path("folders/<int:folder_id>/edit/", folders.folder_edit, name="folder_edit"),
    path("folders/<int:folder_id>/delete/", folders.folder_delete, name="folder_delete"),
    path("programs/", programs.programs, name="programs"),
    path("programs/<int:code_id>/revoke/", programs.program_revoke, name="program_revoke"),
    path("forward/<str:token>/", signed.forward_confirm, name="forward_confirm"),
    path("list-mail/<str:token>/", signed.held_post, name="held_post"),
    path("preferences/language/", preferences.switch_language, name="switch_language"),
    path("preferences/display/", preferences.switch_display, name="switch_display"),
    path("", include("webmail.urls_reading")),
    path("", include("webmail.urls_compose")),
    path("", include("webmail.urls_ways")),
    path("admin/", admin.site.urls),
]
handler400 = "webmail.views.errors.bad_request"
handler403 = "webmail.views.errors.forbidden"
handler404 = "webmail.views.errors.not_found"
handler500 = "webmail.views.errors.broken"
