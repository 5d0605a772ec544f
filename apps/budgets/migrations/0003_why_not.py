"""Why there is no outlook is a sentence that is told in the reader's language; the next fill writes them anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("budgets", "0002_tags")]

    operations = [
        migrations.RemoveField(model_name="outlook", name="missing"),
        migrations.AddField(model_name="outlook", name="why_not", field=models.JSONField(blank=True, default=dict)),
    ]
