# SPDX-License-Identifier: MIT
"""See say.c."""

import locale
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "python"))

from support import Amnesia, GLib, conf, host, wait_for  # noqa: E402


def say(name, function, *args):
    try:
        function(*args)
    except GLib.Error as error:
        print(name, error.message, sep="\t")
    else:
        raise AssertionError(f"{name}: nothing is wrong")


def say_errors():
    from_json = Amnesia.Conf.new_from_json
    say("conf-port", from_json, '[{"host": "::1", "port": 0}]')
    say("conf-missing", from_json, '[{"host": "::1", "port": 1}, {"port": 2}]')
    say("conf-host", from_json, '[{"host": "[::1]", "port": 1}]')
    full = Amnesia.Conf()
    for port in range(1, 257):
        full.add_peer(host(), port)
    say("conf-full", full.add_peer, host(), 300)
    say("json-place", Amnesia.from_json, "[1,\n 2 3]")
    say("json-zero", Amnesia.from_json, "01")
    say("json-infinite", Amnesia.to_json, GLib.Variant("d", float("inf")))
    store = Amnesia.Store()
    say("value-handle", store.write, GLib.Variant("h", 0))
    say("key-length", store.set_key, "", GLib.Variant("i", 1))
    say("store-without-conf", store.open_sync)


def say_linked():
    a, b = (Amnesia.Store(conf=entries) for entries in [conf(2)] * 2)
    for store in a, b:
        store.open_sync()
    a.data = value = {"x": 1}
    wait_for(lambda: b.data == value)
    peer = a.peers[0]
    print("linked", wait_for(lambda: peer.status.count(", ") == 2 and peer.status), sep="\t")
    for store in a, b:
        store.close_sync()


locale.setlocale(locale.LC_ALL, "")
locale.bindtextdomain("libamnesia", os.environ["AMNESIA_TRANSLATIONS"])
say_errors()
say_linked()
