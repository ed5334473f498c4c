# SPDX-License-Identifier: MIT
"""Each row of the manual's page on values: what is set in one store is read in another."""

import collections
import enum
import math
import os
import pathlib
import re
import types
import unittest

from gi.repository import GLib

from support import Amnesia, conf, wait_for

PAGE = pathlib.Path(os.environ["G_TEST_SRCDIR"], "../introspection/value-mapping.md")


class Number(enum.IntEnum):
    THREE = 3


Point = collections.namedtuple("Point", "x y")


def variant(text):
    return GLib.Variant.parse(None, text, None, None)


class MappingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        entries = conf(2)
        cls.writer, cls.reader = (Amnesia.Store(conf=entries) for _ in range(2))
        cls.writer.open_sync()
        cls.reader.open_sync()

    @classmethod
    def tearDownClass(cls):
        cls.writer.close_sync()
        cls.reader.close_sync()

    def carry(self, value):
        """Sets the value in one store, returns what is then in the other."""
        self.writer.data = marker = object.__repr__(value) + self.id()
        wait_for(lambda: self.reader.data == marker)
        self.writer.data = value
        wait_for(lambda: self.reader.data != marker)
        return self.reader.data

    def check(self, value, signature, expected=...):
        """Assures that the value travels, as which type, and what is read."""
        data = self.carry(value)
        expected = value if expected is ... else expected
        self.assertEqual(data, expected)
        self.assertIs(type(data), type(expected))
        self.assertEqual(self.reader.get_data().get_type_string(), signature)

    def check_refused(self, value, error, text):
        self.writer.data = "before"
        with self.assertRaises(error) as caught:
            self.writer.data = value
        self.assertIn(text, str(caught.exception))
        self.assertEqual(self.writer.data, "before")
        return caught.exception

    def check_refused_by_store(self, value, code, text):
        error = self.check_refused(value, GLib.Error, text)
        self.assertTrue(error.matches(Amnesia.error_quark(), code))

    def test_unset(self):
        self.assertIsNone(self.carry(None))
        self.assertIsNone(self.reader.get_data())

    def test_null_member(self):
        self.check({"a": None, "b": [None]}, "a{sv}")
        kinds = self.reader.get_data().lookup_value("a", None).get_type_string()
        self.assertEqual(kinds, "mv")

    def test_bool(self):
        self.check(True, "b")
        self.check(False, "b")

    def test_int(self):
        self.check(0, "x")
        self.check(-5, "x")
        self.check(Number.THREE, "x", 3)

    def test_int64_limits(self):
        self.check(2**63 - 1, "x")
        self.check(-(2**63), "x")
        self.check(2**53 + 1, "x")

    def test_uint64(self):
        self.check(2**63, "t")
        self.check(2**64 - 1, "t")

    def test_double(self):
        self.check(1.0, "d")
        self.check(0.1, "d")
        self.check(5e-324, "d")

    def test_double_special(self):
        self.check(math.inf, "d")
        self.check(-math.inf, "d")
        self.assertTrue(math.isnan(self.carry(math.nan)))
        self.assertEqual(math.copysign(1, self.carry(-0.0)), -1)

    def test_string(self):
        self.check("Grüße, 𝄞", "s")

    def test_empty_string(self):
        self.check("", "s")

    def test_large_string(self):
        self.check("𝄞x" * (2 << 20), "s")

    def test_bytes(self):
        value = bytes(range(256)) * 4096
        self.check(value, "ay")
        self.check(bytearray(b"a\0b"), "ay", b"a\0b")
        self.check(memoryview(b"abcdef")[::2], "ay", b"ace")
        self.check([value], "av")

    def test_empty_bytes(self):
        self.check(b"", "ay")
        self.check([b"", [b""]], "av")

    def test_list(self):
        self.check([1, 2.0, "a", True, b"b", [], {}, [None]], "av")
        self.check((1, "a"), "av", [1, "a"])
        self.check(Point(1, 2), "av", [1, 2])

    def test_empty_list(self):
        self.check([], "av")

    def test_dict(self):
        self.check({"a": 1, "": {"ä": [2.0]}}, "a{sv}")
        self.check(collections.OrderedDict(b=1, a=2), "a{sv}", {"b": 1, "a": 2})
        self.check(types.MappingProxyType({"a": 1}), "a{sv}", {"a": 1})
        self.assertEqual(list(self.carry({"b": 1, "a": 2})), ["b", "a"])

    def test_empty_dict(self):
        self.check({}, "a{sv}")

    def test_tuple(self):
        self.check(variant("(1, 'a', ('b', @mb nothing))"), "(is(smb))", (1, "a", ("b", None)))
        self.check([variant("()")], "av", [()])

    def test_maybe(self):
        self.check(variant("@mi 5"), "mi", 5)
        self.check([variant("@mi nothing")], "av", [None])
        self.check(variant("@mmi just nothing"), "mmi", None)

    def test_other_ints(self):
        for text, signature, value in (
            ("byte 255", "y", 255),
            ("int16 -32768", "n", -32768),
            ("uint16 65535", "q", 65535),
            ("int32 -2147483648", "i", -(2**31)),
            ("uint32 4294967295", "u", 2**32 - 1),
        ):
            self.check(variant(text), signature, value)

    def test_object_path(self):
        self.check(variant("objectpath '/a/b'"), "o", "/a/b")
        self.check(variant("signature 'a{sv}'"), "g", "a{sv}")

    def test_typed_list(self):
        self.check(variant("['a', '']"), "as", ["a", ""])
        self.check(variant("[1.0, 2.0]"), "ad", [1.0, 2.0])
        self.check(variant("@ai []"), "ai", [])
        self.check(variant("[b'a', b'']"), "aay", [b"a\0", b"\0"])

    def test_typed_dict(self):
        self.check(variant("{'a': 1.0}"), "a{sd}", {"a": 1.0})

    def test_other_keys(self):
        self.check(variant("{int64 1: 'a'}"), "a{xs}", {1: "a"})
        self.check(variant("@a{us} {}"), "a{us}", {})

    def test_variant(self):
        self.check(variant("<<5.0>>"), "v", 5.0)
        self.check([variant("<5.0>")], "av", [5.0])

    def carry_key(self, value):
        """As carry(), for a key that others have values beside."""
        self.writer.data = {"other": 1, "key": "before"}
        wait_for(lambda: self.reader.data == {"other": 1, "key": "before"})
        self.writer["key"] = value
        wait_for(lambda: self.reader["key"] != "before")
        self.assertEqual(self.reader["other"], 1)
        return self.reader["key"]

    def check_key(self, value, signature, expected=...):
        got = self.carry_key(value)
        expected = value if expected is ... else expected
        self.assertEqual(got, expected)
        self.assertIs(type(got), type(expected))
        self.assertEqual(self.reader.get_key("key").get_type_string(), signature)
        self.assertEqual(self.reader.data["key"], expected)

    def test_key(self):
        self.check_key(True, "b")
        self.check_key(5, "x")
        self.check_key(2**64 - 1, "t")
        self.check_key(1.0, "d")
        self.check_key("Grüße, 𝄞", "s")
        self.check_key(b"a\0b", "ay")
        self.check_key([1, [None]], "av")
        self.check_key({"a": {}}, "a{sv}")
        self.check_key((1, 2), "av", [1, 2])
        self.check_key(variant("(1, 'a')"), "(is)", (1, "a"))
        self.check_key(variant("<5.0>"), "v", 5.0)

    def test_key_null(self):
        self.check_key(None, "mv")
        self.assertIn("key", self.reader)

    def test_key_several(self):
        self.writer.data = {"a": 0, "b": 0.5}
        self.writer.update({"b": None, "c": [1]}, d=b"x")
        wait_for(lambda: self.reader.data == {"a": 0, "b": None, "c": [1], "d": b"x"})
        kinds = [self.reader.get_key(key).get_type_string() for key in self.reader]
        self.assertEqual(kinds, ["x", "mv", "av", "ay"])

    def test_key_absent(self):
        self.writer.data = {"a": 1, "": 2}
        for key in ("b", "", "k" * 256, "a\0", "\ud800"):
            with self.assertRaises(KeyError):
                self.writer[key]
            self.assertIsNone(self.writer.get(key))
            self.assertNotIn(key, self.writer)

    def test_key_removed(self):
        self.carry_key(1)
        del self.writer["key"]
        wait_for(lambda: "key" not in self.reader)
        self.assertEqual(self.reader.data, {"other": 1})
        with self.assertRaises(KeyError):
            self.reader["key"]

    def test_key_order(self):
        self.writer.data = {"b": 1, "ä": 2, "B": 3, "aa": 4, "a": 5}
        self.assertEqual(list(self.writer), ["B", "a", "aa", "b", "ä"])

    def check_key_refused(self, key, code):
        before = self.writer.data
        with self.assertRaises(GLib.Error) as caught:
            self.writer[key] = 1
        self.assertTrue(caught.exception.matches(Amnesia.error_quark(), code))
        self.assertEqual(self.writer.data, before)

    def test_key_name(self):
        self.writer.data = {}
        for key in ("", "k" * 256, "ä" * 128):
            self.check_key_refused(key, Amnesia.Error.INVALID_KEY)

    def test_key_type(self):
        self.writer.data = {}
        with self.assertRaisesRegex(TypeError, "a key is of type int"):
            self.writer[5] = 1
        with self.assertRaisesRegex(TypeError, "a key is of type int"):
            self.writer[5]

    def test_key_nowhere(self):
        for value in (5, [1], variant("{'a': 1}")):
            self.writer.data = value
            self.check_key_refused("a", Amnesia.Error.NOT_A_DICTIONARY)

    def test_key_too_many(self):
        self.writer.data = None
        self.writer.update({str(i): i for i in range(4096)})
        self.check_key_refused("new", Amnesia.Error.TOO_MANY_KEYS)
        self.writer.data = None

    def test_handle(self):
        code = Amnesia.Error.INVALID_VALUE
        self.check_refused_by_store(variant("handle 1"), code, "“h”")
        self.check_refused_by_store({"a": [variant("handle 1")]}, code, "“h”")

    def test_deep(self):
        value = 1
        for depth in range(1000):
            value = [value]
            if depth == 31:
                self.check(value, "av")
            elif depth in (32, 63, 64, 999):
                self.check_refused_by_store(value, Amnesia.Error.INVALID_VALUE, "64 containers")

    def test_key_twice(self):
        value = variant("{'a': <1>, 'a': <2>}")
        self.check_refused_by_store(value, Amnesia.Error.INVALID_VALUE, "twice")

    def test_too_big(self):
        self.check_refused_by_store(bytes((16 << 20) + 1), Amnesia.Error.TOO_BIG, "16777217")

    def test_huge_int(self):
        self.check_refused(2**64, OverflowError, "data is 18446744073709551616")
        self.check_refused({"a": [0, -(2**63) - 1]}, OverflowError, "data['a'][1] is -922")

    def test_no_text(self):
        self.check_refused("a\0", ValueError, "data has the character U+0000")
        self.check_refused(["a", "\ud800"], ValueError, "data[1] has half of a surrogate pair")
        self.check_refused({"\0": 1}, ValueError, "U+0000")
        self.check_refused({"\udfff": 1}, ValueError, "surrogate")

    def test_other_type(self):
        self.check_refused({"a": [0, 1, 2, {3}]}, TypeError, "data['a'][3] is of type set")
        for value in (object(), range(3), 1j, lambda: 0, iter([]), int):
            self.check_refused(value, TypeError, type(value).__name__)

    def test_other_key(self):
        self.check_refused({"a": {1: 2}}, TypeError, "the key of data['a'][1] is of type int")
        self.check_refused({b"a": 1}, TypeError, "GLib.Variant")

    def test_cycle(self):
        value = [1]
        value.append({"a": value})
        self.check_refused(value, ValueError, "data[1]['a'] contains itself")
        shared = [1]
        self.check([shared, shared], "av")


class PackTest(unittest.TestCase):
    def test_pack(self):
        self.assertEqual(Amnesia.pack({"a": [1]}).print_(True), "{'a': <[<int64 1>]>}")
        self.assertIsNone(Amnesia.pack(None))
        with self.assertRaisesRegex(TypeError, r"^value\[0\] is of type object"):
            Amnesia.pack([object()])

    def test_unpack(self):
        self.assertEqual(Amnesia.unpack(variant("{'a': <[<b'x'>]>}")), {"a": [b"x\0"]})
        self.assertIsNone(Amnesia.unpack(None))

    def test_copy(self):
        store = Amnesia.Store(data={"a": 1})
        store.data["a"] = 2
        self.assertEqual(store.data, {"a": 1})


class PageTest(unittest.TestCase):
    """What the page says of a language, the test of that language has."""

    FILES = {
        "C": ("c/test-mapping.c", r'"(/mapping/)?%s"'),
        "Python": ("python/test_mapping.py", r"def test_%s\("),
        "JavaScript": ("gjs/test-mapping.js", r"test\('%s'"),
        "Vala": ("vala/test-mapping.vala", r'"/mapping/%s"'),
    }

    def rows(self):
        """Yields each row of the page's tables as a dictionary, by the names of the columns."""
        for table in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE):
            head, _, *lines = (re.split(r" *\| *", line)[1:-1] for line in table.splitlines())
            names = [name.split(",")[0] for name in head]
            yield from (dict(zip(names, line, strict=True)) for line in lines)

    def test_rows(self):
        rows = list(self.rows())
        self.assertGreater(len(rows), 30)
        for language, (name, form) in self.FILES.items():
            text = pathlib.Path(os.environ["G_TEST_SRCDIR"], name).read_text()
            for row in rows:
                ident = row["Row"].strip("`")
                if language == "Python":
                    ident = ident.replace("-", "_")
                with self.subTest(language=language, row=ident):
                    self.assertEqual(bool(re.search(form % ident, text)), row[language] != "–")


if __name__ == "__main__":
    unittest.main()
