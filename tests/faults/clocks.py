# SPDX-License-Identifier: MIT
"""Wall clocks that are not what they should be, by libfaketime."""

import os
import pathlib

LIBRARY = "libfaketimeMT.so.1"
_found = [
    path
    for pattern in (f"lib/*/faketime/{LIBRARY}", f"lib*/faketime/{LIBRARY}")
    for path in pathlib.Path("/usr").glob(pattern)
]
NO_FAKE_CLOCK = None if _found else "needs libfaketime"


class FakeClock:
    """The wall clock of the processes that have its environment; no other clock is changed."""

    def __init__(self, path, setting=0):
        self.path = path
        self.set(setting)
        self.env = {
            "LD_PRELOAD": str(_found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # a sanitizer would insist on being the first to be loaded
            "ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0",
        }

    def set(self, setting):
        """Seconds to be added to the time, or a moment at which it stands still."""
        text = setting if isinstance(setting, str) else f"{setting:+d}"
        # whoever reads it must find the old or the new
        new = self.path.with_suffix(".new")
        new.write_text(text + "\n")
        new.rename(self.path)
