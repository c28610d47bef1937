"""Where results that can be made again are kept between runs."""

import os
from pathlib import Path

__all__ = ["cache_dir"]


def cache_dir():
    """Folder of the cache: ``MNV2_CACHE`` if set, else the user's cache folder.

    Returns
    -------
    Path
        Absolute; it may not exist yet.
    """
    chosen = os.environ.get("MNV2_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    import platformdirs

    return Path(platformdirs.user_cache_dir("mnv2"))
