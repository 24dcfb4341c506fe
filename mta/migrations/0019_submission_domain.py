"""Every submission knows its domain, mail without a person too."""

from django.db import migrations, models

FILL = (
    "UPDATE mta_submission SET domain_id = "
    "(SELECT account.domain_id FROM accounts_account account WHERE account.id = mta_submission.mailbox_id) "
    "WHERE domain_id = 0 AND EXISTS (SELECT 1 FROM accounts_account account WHERE account.id = mta_submission.mailbox_id)"
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_program_rules"), ("mta", "0018_company")]

    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("submission", "domain_id", models.BigIntegerField()),
    ]
