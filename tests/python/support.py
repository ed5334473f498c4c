# SPDX-License-Identifier: MIT
"""What the tests in Python share."""

import os
import time

import gi

gi.require_version("Amnesia", "1")
from gi.repository import Amnesia, GLib  # noqa: E402

PATIENCE_S = 20


def host():
    """An address of the loopback network that no other test uses: so no port can be taken."""
    pid = os.getpid()
    return f"127.{1 + (pid >> 16) % 250}.{pid >> 8 & 255}.{pid & 255}"


def conf(n):
    return [{"host": host(), "port": 7701 + index} for index in range(n)]


def wait_for(condition):
    """Iterates the default main context until the condition holds, and returns what it gave."""
    deadline = time.monotonic() + PATIENCE_S
    # so that the deadline is looked at even if nothing happens
    clock = GLib.timeout_add(100, lambda: GLib.SOURCE_CONTINUE)
    try:
        while not (found := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {PATIENCE_S} s in vain")
            GLib.MainContext.default().iteration(True)
        return found
    finally:
        GLib.source_remove(clock)


def pass_time(milliseconds):
    """Iterates the default main context for so long."""
    end = time.monotonic() + milliseconds / 1000
    wait_for(lambda: time.monotonic() >= end)


def open_store(test, **properties):
    """Returns a store that is open, and is closed at the end of the test."""
    store = Amnesia.Store(**properties)
    test.addCleanup(store.close_sync)
    store.open_sync()
    return store
