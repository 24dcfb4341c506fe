"""The tables of mail on its way."""

from mta.models.accepted import Accepted
from mta.models.approval import Approval, ApprovalRule
from mta.models.certificates import AcmeAccount, AcmeChallenge, AcmeFailure, HostCertificate
from mta.models.company import SendCount, SendPolicy, SendStop, SuppressedAddress
from mta.models.dmarc import DmarcObservation, DmarcReport
from mta.models.filters import Filter, FilterRun
from mta.models.forwards import AutoForward, Forwarded, ForwardTarget
from mta.models.greylist import Greylisted
from mta.models.keys import DkimKey
from mta.models.moderation import HeldPost
from mta.models.monitoring import MonitoredFolder, MonitorRule
from mta.models.outgoing import GATED, KEPT, OPEN, Delivery, Submission
from mta.models.policy import DomainRecords, MailPolicy
from mta.models.quarantine import QuarantinedMail, SentDigest
from mta.models.replies import AutoReplied, AutoReply
from mta.models.senders import ListedSender
from mta.models.sending import Opening, Recall, RecallOutcome, SendSettings
from mta.models.spam import KnownSender, LookalikeKey, SpamCorpus, SpamLesson, SpamSettings, SpamToken
from mta.models.transport import SmartHost, StsPolicy, TlsOutcome

__all__ = [
    "GATED",
    "KEPT",
    "OPEN",
    "Accepted",
    "AcmeAccount",
    "AcmeChallenge",
    "AcmeFailure",
    "Approval",
    "ApprovalRule",
    "AutoForward",
    "AutoReplied",
    "AutoReply",
    "Delivery",
    "DkimKey",
    "DmarcObservation",
    "DmarcReport",
    "DomainRecords",
    "Filter",
    "FilterRun",
    "ForwardTarget",
    "Forwarded",
    "Greylisted",
    "HeldPost",
    "HostCertificate",
    "KnownSender",
    "ListedSender",
    "LookalikeKey",
    "MailPolicy",
    "MonitorRule",
    "MonitoredFolder",
    "Opening",
    "QuarantinedMail",
    "Recall",
    "RecallOutcome",
    "SendCount",
    "SendPolicy",
    "SendSettings",
    "SendStop",
    "SentDigest",
    "SmartHost",
    "SpamCorpus",
    "SpamLesson",
    "SpamSettings",
    "SpamToken",
    "StsPolicy",
    "Submission",
    "SuppressedAddress",
    "TlsOutcome",
]
