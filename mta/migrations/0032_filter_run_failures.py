from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mta", "0031_quarantine_decided")]

    operations = [
        migrations.AddField(
            model_name="filterrun",
            name="error",
            field=models.CharField(blank=True, default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="filterrun",
            name="tries",
            field=models.IntegerField(default=0, verbose_name="failures"),
        ),
        migrations.AlterField(
            model_name="filterrun",
            name="state",
            field=models.CharField(
                choices=[("waiting", "At work"), ("done", "Done"), ("cancelled", "Cancelled"), ("failed", "Given up")],
                default="waiting",
                max_length=10,
                verbose_name="state",
            ),
        ),
    ]
