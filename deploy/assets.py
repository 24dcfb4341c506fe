"""Copy the white list of npm's dist files into static/vendor/ (git-ignored). Standard library only.

A white list, because the manifest storage aborts on source maps that a package names and does not ship, and
because what is not listed is not served. Licences travel with their files.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "static" / "vendor"
EDITOR_PLUGINS = (
    "autolink",
    "code",
    "emoticons",
    "image",
    "link",
    "lists",
    "quickbars",
    "searchreplace",
    "table",
    "wordcount",
)


def editor_files() -> dict[str, str]:
    """The editor: source below node_modules to target below static/vendor."""
    kept = ["hugerte.min.js", "license.txt", "icons/default/icons.min.js", "models/dom/model.min.js"]
    kept += ["themes/silver/theme.min.js", "skins/content/default/content.min.css"]
    for skin in ("oxide", "oxide-dark"):
        kept += [f"skins/ui/{skin}/{name}.min.css" for name in ("skin", "content", "content.inline", "skin.shadowdom")]
    kept += [f"plugins/{plugin}/plugin.min.js" for plugin in EDITOR_PLUGINS]
    kept += ["plugins/emoticons/js/emojis.min.js"]
    files = {f"hugerte/{name}": f"hugerte/{name}" for name in kept}
    return files | {
        "tinymce-i18n/langs6/zh-Hans.js": "hugerte/langs/zh-Hans.js",
        "tinymce-i18n/LICENSE": "hugerte/langs/LICENSE",
    }


def icon_files() -> dict[str, str]:
    """The icons that templates name, listed in icons.txt."""
    names = (ROOT / "deploy" / "icons.txt").read_text().split()
    files = {f"@tabler/icons/icons/outline/{name}.svg": f"icons/{name}.svg" for name in names}
    return files | {"@tabler/icons/LICENSE": "icons/LICENSE"}


def main() -> None:
    """Replace static/vendor as a whole."""
    fresh = VENDOR.with_name("vendor.new")
    shutil.rmtree(fresh, ignore_errors=True)
    for source, target in (editor_files() | icon_files()).items():
        path = fresh / target
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, path)
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)


if __name__ == "__main__":
    main()
