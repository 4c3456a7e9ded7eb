"""Property tests are judged by what they find, never by how long a loaded machine takes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
