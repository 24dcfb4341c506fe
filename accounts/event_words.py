"""Events in words that administrators read."""

from __future__ import annotations

from django.utils.translation import gettext, gettext_lazy as _, ngettext

from accounts.event_details import choice, shown
from accounts.sign_in import Reason
from accounts.user_agents import program_name
from logs_app.models import Event, Kind

ACTS = {
    "create_domain": _("Domain made"),
    "update_domain": _("Domain changed"),
    "add_domain_alias": _("Domain alias added"),
    "remove_domain_alias": _("Domain alias removed"),
    "set_catch_all": _("Catch-all mailbox set"),
    "move_postmaster": _("Postmaster's mail given to another account"),
    "create_department": _("Department made"),
    "update_department": _("Department changed"),
    "delete_department": _("Department deleted"),
    "create_account": _("Account made"),
    "update_account": _("Account changed"),
    "suspend_account": _("Account suspended"),
    "restore_account": _("Account allowed to sign in again"),
    "erase_account": _("Account erased"),
    "set_password": _("Password set"),
    "create_client_code": _("Client code made"),
    "revoke_client_code": _("Client code taken back"),
    "set_program_rule": _("Rule for mail programs set"),
    "remove_program_rule": _("Rule for mail programs removed"),
    "set_rights": _("Rights of an account set"),
    "remove_rights": _("Rights of an account removed"),
    "add_alias": _("Alias added"),
    "remove_alias": _("Alias removed"),
    "create_group": _("Group made"),
    "update_group": _("Group changed"),
    "delete_group": _("Group deleted"),
    "add_member": _("Member added to a group"),
    "remove_member": _("Member removed from a group"),
    "grant_mailbox": _("Mailbox opened to somebody"),
    "revoke_mailbox": _("Mailbox closed to somebody"),
    "update_mail_policy": _("Mail policy changed"),
    "rotate_dkim_keys": _("New DKIM keys made"),
    "release_quarantined": _("Mail released from quarantine"),
    "delete_quarantined": _("Mail deleted from quarantine"),
    "list_sender": _("Sender put on a list"),
    "unlist_sender": _("Sender taken off a list"),
    "create_filter": _("Filter made"),
    "update_filter": _("Filter changed"),
    "delete_filter": _("Filter deleted"),
    "run_filters": _("Filters applied to a folder"),
    "create_monitor_rule": _("Monitoring rule made"),
    "update_monitor_rule": _("Monitoring rule changed"),
    "delete_monitor_rule": _("Monitoring rule deleted"),
    "decide_post": _("Mail to a list approved or rejected"),
    "set_reply": _("Automatic reply set"),
    "remove_reply": _("Automatic reply removed"),
    "set_forward": _("Automatic forwarding set"),
    "remove_forward": _("Automatic forwarding removed"),
    "add_forward_target": _("Address to forward to added"),
    "remove_forward_target": _("Address to forward to removed"),
    "confirm_forward_target": _("Forwarding agreed to by the other side"),
    "set_pop_settings": _("POP3 settings changed"),
    "recall_mail": _("Mail recalled"),
    "hold_deliveries": _("Outgoing mail put on hold"),
    "release_deliveries": _("Outgoing mail released"),
    "retry_deliveries": _("Outgoing mail tried again"),
    "discard_deliveries": _("Outgoing mail deleted from the queue"),
    "set_certificate": _("Certificate put in place"),
    "remove_certificate": _("Certificate removed"),
    "set_smart_host": _("Smart host set"),
    "remove_smart_host": _("Smart host removed"),
    "set_send_policy": _("Sending policy changed"),
    "stop_sending": _("Sending stopped"),
    "allow_sending": _("Sending allowed again"),
    "keep_mail": _("Mail not sent, for its account was suspended or expired when it was due"),
    "suppress_address": _("Address suppressed"),
    "unsuppress_address": _("Address no longer suppressed"),
    "create_approval_rule": _("Approval rule made"),
    "update_approval_rule": _("Approval rule changed"),
    "delete_approval_rule": _("Approval rule deleted"),
    "activate_dkim_keys": _("New DKIM keys in use"),
}
"""What `data["action"]` of administrative events means; a test holds it to the services."""

DELETIONS = {
    "trash": _("Moved to Trash"),
    "purge": _("Deleted for good"),
    "empty": _("Folder emptied"),
    "policy": _("Emptied by the domain's policy"),
    "undo": _("Moved back out of Trash"),
    "recover": _("Recovered"),
    "recall": _("Recalled by its sender"),
}
"""What `data["action"]` of the deletion log means (mailstore.services.deletion_log)."""

APPROVALS = {
    "approval_approved": _("Approved"),
    "approval_refused": _("Rejected"),
    "approval_passed": _("Approved by time-out"),
    "approval_expired": _("Rejected by time-out"),
}
"""What `data["action"]` of approvals means (mta.approval.deciding)."""

REFUSALS = {
    Reason.REFUSED: _("Wrong name or password"),
    Reason.THROTTLED: _("Too many attempts"),
    Reason.SUSPENDED: _("Account suspended or expired"),
    Reason.NEEDS_CODE: _("Password refused: a client code is needed"),
    Reason.PROTOCOL: _("Protocol not allowed"),
    Reason.NETWORK: _("Not allowed from this address"),
}


PROTOCOLS = {
    "web": _("Webmail"),
    "imap": "IMAP",
    "pop3": "POP3",
    "smtp": "SMTP",
    "local": _("Within the system"),
    "list": _("Mailing list"),
    "digest": _("Quarantine report"),
    "admin": _("Administration"),
    "policy": _("The domain's policy"),
    "import": _("Import"),
}
"""By which way something was done or came."""
SYSTEM = "system"
"""The actor of what no person did."""


def way(event: Event) -> str:
    """The protocol for people."""
    return str(PROTOCOLS.get(event.protocol, event.protocol))


def error_words(error: str) -> str:
    """Our own refusals in words; what a remote server said as it said it."""
    if error == "over_quota":
        return gettext("Mailbox full")
    if error.startswith("virus "):
        return gettext("Virus found: %s") % error.removeprefix("virus ")
    return str(REFUSALS.get(error, error))  # type: ignore[call-overload]


def told(event: Event) -> str:
    """What happened, in the reader's language and as short as can be."""
    action = str(event.data.get("action") or "")
    if event.kind == Kind.DELETION:
        return _deletion(event, action)
    if event.kind == Kind.DELIVERY:
        return _about(choice("state", str(event.data.get("state") or "")), event, "to")
    if event.kind in (Kind.RECEIVED, Kind.MONITOR_VIEW):
        put_aside = event.data.get("put_aside")
        return _about(shown("put_aside", put_aside) if put_aside else "", event, "from")
    shown_error = error_words(event.error) if event.error else ""
    words = shown_error or ACTS.get(action) or APPROVALS.get(action, action)
    if words:
        return str(words)
    alias = event.data.get("alias")
    return gettext("As %(alias)s") % {"alias": alias} if alias else program_name(str(event.data.get("program") or ""))


def _about(what: str, event: Event, side: str) -> str:
    """A mail in a line: what became of it, its other side, its subject."""
    return " · ".join(
        part for part in (what, str(event.data.get(side) or ""), str(event.data.get("subject") or "")) if part
    )


def _deletion(event: Event, action: str) -> str:
    """What was done, to which mail, and how many more."""
    mails = event.data.get("mails")
    first = mails[0] if isinstance(mails, list) and mails and isinstance(mails[0], dict) else {}
    subject = str(first.get("subject") or first.get("from") or gettext("(no subject)"))
    more = len(mails) - 1 if isinstance(mails, list) else 0
    words = {"what": DELETIONS.get(action, action), "subject": subject, "more": more}
    if more < 1:
        return gettext("%(what)s: %(subject)s") % words
    return ngettext("%(what)s: %(subject)s and %(more)d more", "%(what)s: %(subject)s and %(more)d more", more) % words
