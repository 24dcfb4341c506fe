from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MtaConfig(AppConfig):
    name = "mta"
    verbose_name = _("Mail transfer")

    def ready(self) -> None:
        """A domain gets policy and keys in its own transaction, what was learnt goes with who taught it, and moving mail
        into Junk teaches (models exist only now, hence the imports here)."""
        from accounts.steps import (
            AccountStep,
            DomainStep,
            GroupStep,
            register_account_step,
            register_domain_step,
            register_group_step,
        )
        from core.serving import EVERY_MINUTE
        from mailstore.steps import AfterMove, register_after_move
        from mta.certificates.files import write_all
        from mta.company.suppression import learn_bounce, learn_bounces
        from mta.selectors.put_by import register_counts
        from mta.services.domain_watch import announce, welcome_administrator
        from mta.services.domains import prepare_domain
        from mta.services.forwards import bring_back
        from mta.services.moderation import posts_lost_with, refuse_posts_of
        from mta.services.monitoring import mark_recalled
        from mta.services.waiting import lost_with, stop_mail_of
        from mta.spam.forgetting import forget_account, forget_domain
        from mta.spam.lessons import note_lesson
        from mta.steps import AfterOutcome, AfterRecall, register_after_outcome, register_after_recall

        register_domain_step(DomainStep("mta", created=prepare_domain, erased=forget_domain))
        register_domain_step(DomainStep("mta letters", created=announce))
        register_account_step(AccountStep("mta letters", created=welcome_administrator))
        register_account_step(AccountStep("mta", erased=forget_account))
        register_account_step(AccountStep("waiting mail", erased=stop_mail_of, losses=lost_with))
        register_group_step(GroupStep("moderation", refuse_posts_of, posts_lost_with))
        register_after_move(AfterMove("spam", note_lesson))
        register_after_outcome(AfterOutcome("forwards", bring_back))
        register_after_outcome(AfterOutcome("suppression", learn_bounce, learn_bounces))
        register_after_recall(AfterRecall("monitors", mark_recalled))
        register_counts()
        EVERY_MINUTE.append(write_all)
