# SPDX-License-Identifier: MIT
"""What the library says to users, in each language and by each binding."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from catalogue import LANGUAGES, English, Translator

HERE = pathlib.Path(__file__).parent
SPEAKERS = {"c": [os.environ["AMNESIA_SAY"]]}
if "python" in os.environ["AMNESIA_LANGUAGES"].split():
    SPEAKERS["python"] = [os.environ["AMNESIA_PYTHON"], str(HERE / "say.py")]
if "js" in os.environ["AMNESIA_LANGUAGES"].split():
    SPEAKERS["js"] = ["gjs", "-m", str(HERE / "say.js")]
LOCALES = {"de": "de_DE", "fr": "fr_FR", "pt_BR": "pt_BR"}


def expected(t, comma):
    """What is to be said, by name. `t` translates, `comma` is what stands before tenths."""

    def place(where, what, needed):
        return t("%s is %s: %s is needed") % (where, what, t(needed))

    def line(where, message):
        return t("line %u, column %lu: %s").replace("%lu", "%u") % (*where, message)

    def size(n, most):
        forms = "the value has %zu byte, max-size is %zu", "the value has %zu bytes, max-size is %zu"
        return t.plural(*forms, n).replace("%zu", "%u") % (n, most)

    def status(time, way):
        return t("%s, %s, %s") % (t("in sync"), time, t(way))

    entries = (
        "%s is one too many: at most %d entry is possible",
        "%s is one too many: at most %d entries are possible",
    )
    key = "A key has 1 to %d byte of UTF-8", "A key has 1 to %d bytes of UTF-8"
    return {
        "conf-port": place("[0].port", "0", "a whole number from 1 to 65535"),
        "conf-missing": place("[1].host", t("missing"), "a host name or an address as a string"),
        "conf-host": t("%s is %s: %s")
        % ("[0].host", '"[::1]"', t("an IPv6 address without brackets is needed, as ::1")),
        "conf-full": t.plural(*entries, 256) % ("peers[256]", 256),
        "json-place": line((2, 4), t("%s is needed, not “%s”") % (t("“,” or “]”"), "3")),
        "json-zero": line((1, 1), t("a number begins with 0; leave out the leading zeros")),
        "json-infinite": t("JSON has neither infinity nor “not a number”; use null"),
        "value-handle": t("the type “%s” holds a handle (“h”), which means nothing in another process")
        % "h",
        "key-length": t.plural(*key, 255) % 255,
        "store-without-conf": t("The store has no configuration: set “conf” first"),
        "size-1": size(1, 0),
        "size-2": size(2, 1),
        "status-quick": status(t("under 0.1 ms"), "by Unix socket"),
        "status-tenths": status((t("%.1f ms") % 0.2).replace(".", comma), "by TLS"),
        "status-whole": status(t("%.0f ms") % 12, "by TCP"),
        "status-seconds": status((t("%.1f s") % 1.5).replace(".", comma), "by TCP"),
        "away": t("%s: %s") % (t("away"), "x"),
    }


def listen(speaker, **variables):
    """Returns what is said, by name."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "XDG_RUNTIME_DIR": folder, "LANGUAGE": "", **variables}
        done = subprocess.run(SPEAKERS[speaker], capture_output=True, timeout=60, env=env)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return dict(line.split("\t") for line in done.stdout.decode().splitlines())


def status_pattern(t, comma, way):
    """As a status looks, however long it takes."""
    times = "|".join(re.escape(t(text)) for text in ("%.1f ms", "%.0f ms", "%.1f s"))
    times = times.replace(r"%\.1f", rf"\d+{comma}\d").replace(r"%\.0f", r"\d+")
    time = f"({re.escape(t('under 0.1 ms'))}|{times})"
    return "^" + re.escape(t("%s, %s, %s")) % (t("in sync"), time, t(way)) + "$"


class Library(unittest.TestCase):
    def check(self, said, t, comma, way):
        linked = said.pop("linked")
        wanted = expected(t, comma)
        self.assertGreaterEqual(len(said), 10)
        self.assertEqual(said, {name: wanted[name] for name in said})
        self.assertRegex(linked, status_pattern(t, re.escape(comma), way))

    def test_languages(self):
        """All at once, as each of them waits for a heartbeat."""
        locales = {"C": "C.UTF-8", **{name: f"{LOCALES[name]}.UTF-8" for name in LANGUAGES}}
        with ThreadPoolExecutor() as pool:
            said = {
                (language, speaker): pool.submit(listen, speaker, LC_ALL=locale)
                for language, locale in locales.items()
                for speaker in SPEAKERS
            }
        for (language, speaker), lines in said.items():
            with self.subTest(language=language, speaker=speaker):
                t, comma = (English(), ".") if language == "C" else (Translator(language), ",")
                self.check(lines.result(), t, comma, "by Unix socket")

    def test_messages_are_utf8_everywhere(self):
        """In a locale of another encoding as well: GLib has nothing else."""
        said = listen("c", LC_ALL="de_DE.ISO-8859-1", XDG_RUNTIME_DIR="")
        self.check(said, Translator("de"), ",", "by TCP")

    def test_numbers_and_words_are_two_things(self):
        """Messages in English, but numbers as in Germany."""
        said = listen("c", LC_NUMERIC="de_DE.UTF-8", LC_CTYPE="C.UTF-8", LC_ALL="",
                           LC_MESSAGES="C.UTF-8")  # fmt: skip
        self.assertEqual(said["status-tenths"], "in sync, 0,2 ms, by TLS")
        self.assertEqual(said["away"], "away: x")


if __name__ == "__main__":
    unittest.main()
