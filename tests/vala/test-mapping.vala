/* SPDX-License-Identifier: MIT */
/* Each row of the manual's page on values: what is set in one store is read in another. */

const uint MAX_SIZE = 16 * 1024 * 1024;

HashTable<string, Variant> dict (string key, Variant value) {
  var members = new HashTable<string, Variant> (str_hash, str_equal);

  members[key] = value;
  return members;
}

/* Sets the value in one store and returns it as it is in another. */
Variant? carry (Variant? value) {
  var conf = Support.conf (2);
  var writer = Support.open_store (conf);
  var reader = Support.open_store (conf);

  writer.data = "marker";
  Support.wait_for (() => Support.same (reader.data, "marker"));
  writer.data = value;
  Support.wait_for (() => !Support.same (reader.data, "marker"));
  return reader.data;
}

void check (Variant value, string type) {
  var data = carry (value);

  assert_nonnull (data);
  assert_cmpstr (data.get_type_string (), CompareOperator.EQ, type);
  assert_true (data.equal (value));
}

void check_parsed (string text, string type) {
  check (Support.parse (text), type);
}

void check_refused (Variant value, int code, string part) {
  var store = new Amnesia.Store ();

  store.data = "before";
  try {
    store.write (value);
    assert_not_reached ();
  } catch (Amnesia.Error error) {
    assert_cmpint (error.code, CompareOperator.EQ, code);
    assert_true (part in error.message);
  }
  assert_cmpstr ((string) store.data, CompareOperator.EQ, "before");
}

void test_unset () {
  assert_null (carry (null));
}

void test_null_member () {
  check (dict ("a", new Variant.maybe (VariantType.VARIANT, null)), "a{sv}");
}

void test_bool () {
  assert_true ((bool) carry (true));
  assert_false ((bool) carry (false));
  check (true, "b");
}

void test_int () {
  check ((int64) 0, "x");
  assert_cmpint ((int) (int64) carry ((int64) (-5)), CompareOperator.EQ, -5);
}

void test_int64_limits () {
  assert_true ((int64) carry (int64.MAX) == int64.MAX);
  assert_true ((int64) carry (int64.MIN) == int64.MIN);
  check (int64.MAX, "x");
}

void test_uint64 () {
  assert_true ((uint64) carry (uint64.MAX) == uint64.MAX);
  check (uint64.MAX, "t");
}

void test_double () {
  assert_true ((double) carry (0.1) == 0.1);
  check (1.0, "d");
}

void test_double_special () {
  assert_true ((double) carry (-double.INFINITY) == -double.INFINITY);
  assert_true (((double) carry (double.NAN)).is_nan ());
}

void test_string () {
  assert_cmpstr ((string) carry ("Grüße, 𝄞"), CompareOperator.EQ, "Grüße, 𝄞");
  check ("Grüße, 𝄞", "s");
}

void test_empty_string () {
  check ("", "s");
}

void test_large_string () {
  check (string.nfill (10 * 1024 * 1024, 'a'), "s");
}

Variant make_bytes (size_t size) {
  var data = new uint8[size];

  for (size_t i = 0; i < size; i++)
    data[i] = (uint8) (i * 7);
  return new Variant.from_bytes (VariantType.BYTESTRING, new Bytes.take ((owned) data), true);
}

void test_bytes () {
  check (make_bytes (1024 * 1024), "ay");
}

void test_empty_bytes () {
  check (make_bytes (0), "ay");
}

void test_list () {
  Variant[] items = { (int64) 1, "a" };
  var data = carry (items);

  assert_cmpstr (data.get_type_string (), CompareOperator.EQ, "av");
  assert_cmpuint ((uint) data.n_children (), CompareOperator.EQ, 2);
  assert_true ((int64) data.get_child_value (0).get_variant () == 1);
}

void test_empty_list () {
  check (new VariantBuilder (new VariantType ("av")).end (), "av");
}

void test_dict () {
  var data = carry (dict ("a", (int64) 1));
  var members = (HashTable<string, Variant>) data;

  assert_cmpstr (data.get_type_string (), CompareOperator.EQ, "a{sv}");
  assert_cmpuint (members.size (), CompareOperator.EQ, 1);
  assert_true ((int64) members["a"] == 1);
}

void test_empty_dict () {
  check (new HashTable<string, Variant> (str_hash, str_equal), "a{sv}");
}

void test_tuple () {
  check (new Variant.tuple ({ 1, "a" }), "(is)");
  check_parsed ("()", "()");
}

void test_maybe () {
  check (new Variant.maybe (null, 5), "mi");
  check_parsed ("@mmi just nothing", "mmi");
}

void test_other_ints () {
  check ((uint8) 255, "y");
  check (int16.MIN, "n");
  check (uint16.MAX, "q");
  check (int.MIN, "i");
  check (uint.MAX, "u");
}

void test_object_path () {
  check (new Variant.object_path ("/a/b"), "o");
  check (new Variant.signature ("a{sv}"), "g");
}

void test_typed_list () {
  string[] texts = { "a", "" };
  double[] numbers = { 1.0, 2.0 };

  check (texts, "as");
  check (numbers, "ad");
}

void test_typed_dict () {
  check_parsed ("{'a': 1.0}", "a{sd}");
}

void test_other_keys () {
  check_parsed ("{int64 1: 'a'}", "a{xs}");
}

void test_variant () {
  check (new Variant.variant (5.0), "v");
}

/* Sets the value of a key in one store and returns it as it is in another. */
Variant? carry_key (Variant value) throws Error {
  var conf = Support.conf (2);
  var writer = Support.open_store (conf);
  var reader = Support.open_store (conf);

  writer.data = Support.parse ("{'other': <1>, 'key': <'marker'>}");
  Support.wait_for (() => Support.same (reader["key"], "marker"));
  writer["key"] = value;
  Support.wait_for (() => !Support.same (reader["key"], "marker"));
  assert_true (Support.same (reader["other"], 1));
  return reader["key"];
}

void check_key (Variant value, string type) throws Error {
  var got = carry_key (value);

  assert_nonnull (got);
  assert_cmpstr (got.get_type_string (), CompareOperator.EQ, type);
  assert_true (got.equal (value));
}

void test_key () throws Error {
  check_key (true, "b");
  check_key ((int64) 5, "x");
  check_key (1.0, "d");
  check_key ("Grüße, 𝄞", "s");
  check_key (make_bytes (3), "ay");
  check_key (dict ("a", (int64) 1), "a{sv}");
  check_key (Support.parse ("(1, 'a')"), "(is)");
  check_key (new Variant.variant (5.0), "v");
}

void test_key_null () throws Error {
  check_key (new Variant.maybe (VariantType.VARIANT, null), "mv");
}

void test_key_several () throws Error {
  var store = new Amnesia.Store ();

  store.data = Support.parse ("{'a': <0>, 'b': <0>}");
  store.set_keys (Support.parse ("{'b': <@mv nothing>, 'c': <1.5>}"));
  assert_true (store.data.equal (Support.parse ("{'a': <0>, 'b': <@mv nothing>, 'c': <1.5>}")));
}

void test_key_absent () throws Error {
  var store = new Amnesia.Store ();

  assert_null (store["a"]);
  store.data = Support.parse ("{'a': <1>, '': <2>}");
  foreach (var key in new string[] { "b", "", string.nfill (256, 'k') }) {
    assert_null (store[key]);
    assert_false (key in store);
  }
}

void test_key_removed () throws Error {
  var conf = Support.conf (2);
  var writer = Support.open_store (conf);
  var reader = Support.open_store (conf);

  writer.data = Support.parse ("{'other': <1>, 'key': <2>}");
  Support.wait_for (() => "key" in reader);
  writer.remove_key ("key");
  Support.wait_for (() => !("key" in reader));
  assert_null (reader["key"]);
  assert_true (reader.data.equal (Support.parse ("{'other': <1>}")));
}

void test_key_order () throws Error {
  var store = new Amnesia.Store ();

  store.data = Support.parse ("{'b': <1>, 'ä': <2>, 'B': <3>, 'aa': <4>, 'a': <5>}");
  assert_cmpstr (string.joinv (" ", store.list_keys ()), CompareOperator.EQ, "B a aa b ä");
}

void check_key_refused (Variant? data, string key, int code) {
  var store = new Amnesia.Store ();

  store.data = data;
  try {
    store[key] = 1;
    assert_not_reached ();
  } catch (Amnesia.Error error) {
    assert_cmpint (error.code, CompareOperator.EQ, code);
  }
  assert_true (Support.same (store.data, data));
}

void test_key_name () {
  check_key_refused (null, "", Amnesia.Error.INVALID_KEY);
  check_key_refused (null, string.nfill (256, 'k'), Amnesia.Error.INVALID_KEY);
}

void test_key_nowhere () {
  check_key_refused (5, "a", Amnesia.Error.NOT_A_DICTIONARY);
  check_key_refused (Support.parse ("{'a': 1}"), "a", Amnesia.Error.NOT_A_DICTIONARY);
}

void test_key_too_many () throws Error {
  var store = new Amnesia.Store ();
  var keys = new HashTable<string, Variant> (str_hash, str_equal);

  for (uint i = 0; i < 4096; i++)
    keys[i.to_string ()] = i;
  store.set_keys (keys);
  try {
    store["new"] = 1;
    assert_not_reached ();
  } catch (Amnesia.Error.TOO_MANY_KEYS error) {
  }
}

void test_handle () {
  check_refused (Support.parse ("handle 1"), Amnesia.Error.INVALID_VALUE, "“h”");
}

void test_deep () {
  Variant value = (int64) 1;

  for (int depth = 0; depth < 32; depth++)
    value = new Variant.array (null, { new Variant.variant (value) });
  check (value, "av");
  value = new Variant.array (null, { new Variant.variant (value) });
  check_refused (value, Amnesia.Error.INVALID_VALUE, "64 containers");
}

void test_key_twice () {
  check_refused (Support.parse ("{'a': <1>, 'a': <2>}"), Amnesia.Error.INVALID_VALUE, "twice");
}

void test_too_big () {
  check_refused (make_bytes (MAX_SIZE + 1), Amnesia.Error.TOO_BIG, "16777217");
}

void add_rows () {
  Test.add_func ("/mapping/unset", test_unset);
  Test.add_func ("/mapping/null-member", test_null_member);
  Test.add_func ("/mapping/bool", test_bool);
  Test.add_func ("/mapping/int", test_int);
  Test.add_func ("/mapping/int64-limits", test_int64_limits);
  Test.add_func ("/mapping/uint64", test_uint64);
  Test.add_func ("/mapping/double", test_double);
  Test.add_func ("/mapping/double-special", test_double_special);
  Test.add_func ("/mapping/string", test_string);
  Test.add_func ("/mapping/empty-string", test_empty_string);
  Test.add_func ("/mapping/large-string", test_large_string);
  Test.add_func ("/mapping/bytes", test_bytes);
  Test.add_func ("/mapping/empty-bytes", test_empty_bytes);
  Test.add_func ("/mapping/list", test_list);
  Test.add_func ("/mapping/empty-list", test_empty_list);
  Test.add_func ("/mapping/dict", test_dict);
  Test.add_func ("/mapping/empty-dict", test_empty_dict);
  Test.add_func ("/mapping/tuple", test_tuple);
  Test.add_func ("/mapping/maybe", test_maybe);
  Test.add_func ("/mapping/other-ints", test_other_ints);
  Test.add_func ("/mapping/object-path", test_object_path);
  Test.add_func ("/mapping/typed-list", test_typed_list);
  Test.add_func ("/mapping/typed-dict", test_typed_dict);
  Test.add_func ("/mapping/other-keys", test_other_keys);
  Test.add_func ("/mapping/variant", test_variant);
}

void add_keys () {
  Support.add_throwing ("/mapping/key", test_key);
  Support.add_throwing ("/mapping/key-null", test_key_null);
  Support.add_throwing ("/mapping/key-several", test_key_several);
  Support.add_throwing ("/mapping/key-absent", test_key_absent);
  Support.add_throwing ("/mapping/key-removed", test_key_removed);
  Support.add_throwing ("/mapping/key-order", test_key_order);
}

void add_refused () {
  Test.add_func ("/mapping/handle", test_handle);
  Test.add_func ("/mapping/deep", test_deep);
  Test.add_func ("/mapping/key-twice", test_key_twice);
  Test.add_func ("/mapping/too-big", test_too_big);
  Test.add_func ("/mapping/key-name", test_key_name);
  Test.add_func ("/mapping/key-nowhere", test_key_nowhere);
  Support.add_throwing ("/mapping/key-too-many", test_key_too_many);
}

int main (string[] args) {
  Test.init (ref args);
  add_rows ();
  add_keys ();
  add_refused ();
  return Test.run ();
}
