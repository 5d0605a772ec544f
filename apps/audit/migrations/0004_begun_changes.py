"""What has begun and has no entry yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_question_of_a_read"),
    ]

    operations = [
        migrations.CreateModel(
            name="Begun",
            fields=[
                ("key", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_index=True)),
                ("actor", models.CharField(blank=True, db_index=True, max_length=150)),
                (
                    "way",
                    models.CharField(
                        choices=[("page", "page"), ("token", "API token"), ("command", "command line")], max_length=8
                    ),
                ),
                ("action", models.CharField(db_index=True, max_length=80)),
                ("subject", models.JSONField(default=dict)),
                ("details", models.JSONField(default=dict)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("request_id", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name_plural": "begun changes",
            },
        ),
    ]
