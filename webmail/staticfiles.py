"""Static files under names that carry their hash, compressed, cached for ever."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_PATTERN, _IMPORTS = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]


class Storage(CompressedManifestStaticFilesStorage):
    """Whitenoise's storage; imports between our own ES modules are rewritten to hashed names too.

    Only ours: a library's comments may hold what looks like an import of a file that nobody has.
    """

    patterns: ClassVar[Any] = (*CompressedManifestStaticFilesStorage.patterns, (f"js/{_PATTERN}", _IMPORTS))  # type: ignore[attr-defined]
    manifest_strict = False
