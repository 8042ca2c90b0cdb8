"""As few apps as can be migrated, one of them with a fault in its history."""

import os
from pathlib import Path

from config.env import database_from_url

BASE_DIR = Path(__file__).resolve().parents[2]
SECRET_KEY = "only migrations run here"
INSTALLED_APPS = ["config", "tests.config.faulty"]
MIGRATION_MODULES = {"faulty": f"tests.config.faulty.{os.environ['FAULTY_HISTORY']}"}
DATABASES = {"default": database_from_url(os.environ["SIGNALBOX_DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
