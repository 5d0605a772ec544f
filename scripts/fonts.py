"""Makes, ahead of the first PDF, the part of the Chinese font that PDFs are drawn with; exits with 3 where none is."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "costops.settings")
    django.setup()
    from apps.reports.fonts import chinese

    with TemporaryDirectory() as folder:
        faces = chinese()
        for face in faces.values():
            face.file("费用", Path(folder))
    if not faces:
        sys.exit(3)


if __name__ == "__main__":
    main()
