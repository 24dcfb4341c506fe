"""Static files under names that carry their hash, compressed, cached for ever."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Whitenoise's storage; imports between our ES modules are rewritten to hashed names too."""

    support_js_module_import_aggregation = True
    manifest_strict = False
