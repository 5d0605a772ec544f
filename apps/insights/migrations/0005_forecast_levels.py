from django.db import migrations, models

LEVELS = [
    ("total", "Total"),
    ("team", "Team"),
    ("service", "Service"),
    ("cluster", "Cluster"),
    ("company", "Company"),
    ("unit", "Business unit"),
    ("department", "Department"),
    ("cost_center", "Cost centre"),
]


class Migration(migrations.Migration):
    dependencies = [("insights", "0004_idle")]

    operations = [
        migrations.AlterField("forecast", "level", models.CharField(choices=LEVELS, max_length=12)),
        migrations.AddField("forecast", "teams", models.JSONField(default=list)),
    ]
