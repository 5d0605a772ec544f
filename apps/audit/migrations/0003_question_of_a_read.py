"""The question of an assistant, beside what it read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_read_entries"),
    ]

    operations = [
        migrations.AddField(
            model_name="readentry",
            name="question",
            field=models.TextField(blank=True, db_default=""),
        ),
    ]
