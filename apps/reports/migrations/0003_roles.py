"""The report of a team is called by whom it is for."""

from typing import Any

from django.db import migrations


def rename(apps: Any, old: str, new: str) -> None:
    apps.get_model("reports", "Delivery").objects.filter(report=old).update(report=new)


class Migration(migrations.Migration):
    dependencies = [("reports", "0002_letters")]

    operations = [
        migrations.RunPython(
            lambda apps, _schema: rename(apps, "weekly", "lead"), lambda apps, _schema: rename(apps, "lead", "weekly")
        )
    ]
