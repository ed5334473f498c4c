/* SPDX-License-Identifier: MIT */
/* Parts of the value, as Vala has them: mem["key"]. */

delegate void RefusedFunc () throws Amnesia.Error;

void check_refused (int code, RefusedFunc func) {
  try {
    func ();
    assert_not_reached ();
  } catch (Amnesia.Error error) {
    assert_cmpint (error.code, CompareOperator.EQ, code);
  }
}

void check_data (Amnesia.Store store, string expected) {
  assert_cmpstr (store.data.print (true), CompareOperator.EQ, expected);
}

HashTable<string, Variant> dict (string key, Variant value) {
  var members = new HashTable<string, Variant> (str_hash, str_equal);

  members[key] = value;
  return members;
}

Variant many_keys (uint n) {
  var members = new HashTable<string, Variant> (str_hash, str_equal);

  for (uint i = 0; i < n; i++)
    members["k%u".printf (i)] = i;
  return members;
}

void test_set () throws Error {
  var store = new Amnesia.Store ();

  store["volume"] = 0.5;
  assert_true ((double) store["volume"] == 0.5);
  check_data (store, "{'volume': <0.5>}");
  store["ünder"] = "a";
  check_data (store, "{'volume': <0.5>, 'ünder': <'a'>}");
  store["volume"] = 1;
  assert_cmpint ((int) store["volume"], CompareOperator.EQ, 1);
}

void test_contains () throws Error {
  var store = new Amnesia.Store ();

  store["a"] = 1;
  assert_true ("a" in store);
  assert_false ("b" in store);
  assert_null (store["b"]);
  assert_null (store[""]);
  store.data = 5;
  assert_false ("a" in store);
}

void test_methods () throws Error {
  var store = new Amnesia.Store ();

  assert_true (store.set_key ("b", 1));
  assert_true (store.set_key ("a", 2));
  assert_true (store.has_key ("a"));
  assert_cmpint ((int) store.get_key ("a"), CompareOperator.EQ, 2);
  assert_cmpstr (string.joinv (" ", store.list_keys ()), CompareOperator.EQ, "a b");
  assert_true (store.remove_key ("a"));
  assert_true (store.remove_key ("a"));
  assert_false (store.has_key ("a"));
  assert_null (store.get_key ("a"));
}

void test_iteration () throws Error {
  var store = new Amnesia.Store ();
  string seen = "";

  store.set_keys (Support.parse ("{'b': <1>, 'a': <'x'>}"));
  foreach (var key in store.list_keys ())
    seen += "%s %s, ".printf (key, store[key].print (true));
  assert_cmpstr (seen, CompareOperator.EQ, "a 'x', b 1, ");
}

void test_set_keys () throws Error {
  var store = new Amnesia.Store ();
  int n = 0;

  store.changed.connect (() => n++);
  store.set_keys (Support.parse ("{'a': <1>, 'b': <2>}"));
  store.set_keys (dict ("b", 3));
  check_data (store, "{'a': <1>, 'b': <3>}");
  assert_cmpint (n, CompareOperator.EQ, 2);
  check_refused (Amnesia.Error.INVALID_KEY,
                 () => store.set_keys (Support.parse ("{'a': <4>, '': <5>}")));
  check_data (store, "{'a': <1>, 'b': <3>}");
}

void test_refused () throws Error {
  var store = new Amnesia.Store ();

  check_refused (Amnesia.Error.INVALID_KEY, () => store[""] = 1);
  check_refused (Amnesia.Error.INVALID_KEY, () => store[string.nfill (256, 'k')] = 1);
  check_refused (Amnesia.Error.INVALID_VALUE, () => store["a"] = Support.parse ("handle 0"));
  check_refused (Amnesia.Error.TOO_BIG,
                 () => store["a"] = string.nfill (16 * 1024 * 1024, 'a'));
  assert_null (store.data);
  store.data = 5;
  check_refused (Amnesia.Error.NOT_A_DICTIONARY, () => store["a"] = 1);
  check_refused (Amnesia.Error.NOT_A_DICTIONARY, () => store.remove_key ("a"));
  check_refused (Amnesia.Error.NOT_A_DICTIONARY, () => store.set_keys (dict ("a", 1)));
  store.data = null;
  store.set_keys (many_keys (4096));
  check_refused (Amnesia.Error.TOO_MANY_KEYS, () => store["one more"] = 1);
}

string seen (string key, Variant? before, Variant? after, bool remote) {
  return "%s %s %s %s".printf (key, before != null ? before.print (true) : "absent",
                               after != null ? after.print (true) : "absent",
                               remote.to_string ());
}

void test_key_changed () throws Error {
  var store = new Amnesia.Store ();
  string all = "";
  string volume = "";

  store.key_changed.connect ((key, before, after, remote) => {
    all += seen (key, before, after, remote) + "; ";
  });
  store.key_changed["volume"].connect ((key, before, after, remote) => {
    volume += seen (key, before, after, remote) + "; ";
  });
  store["volume"] = 0.5;
  store["volume"] = 0.5;
  store["other"] = 1;
  store.remove_key ("volume");
  assert_cmpstr (all, CompareOperator.EQ, "volume absent 0.5 false; other absent 1 false; " +
                 "volume 0.5 absent false; ");
  assert_cmpstr (volume, CompareOperator.EQ, "volume absent 0.5 false; volume 0.5 absent false; ");
}

bool both_have (Amnesia.Store a, Amnesia.Store b, string text) {
  var expected = Support.parse (text);

  return Support.same (a.data, expected) && Support.same (b.data, expected);
}

void test_both_at_once () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  string log = "";

  b.key_changed["a"].connect ((key, before, after, remote) => {
    log += seen (key, before, after, remote);
  });
  a["a"] = 1;
  b["b"] = 2;
  Support.wait_for (() => both_have (a, b, "{'a': <1>, 'b': <2>}"));
  assert_cmpstr (log, CompareOperator.EQ, "a absent 1 true");
  a.remove_key ("b");
  b["a"] = 3;
  Support.wait_for (() => both_have (a, b, "{'a': <3>}"));
  a.close_sync ();
  b.close_sync ();
}

string text_of (Variant? value) {
  return value != null ? value.print (true) : "nothing";
}

void test_superseded () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  string lost = "";

  foreach (var store in new Amnesia.Store[] { a, b }) {
    store.superseded.connect ((key, mine, winner) => {
      lost += "%s %s %s; ".printf (key ?? "all", text_of (mine), text_of (winner));
    });
  }
  a["k"] = "a";
  b["k"] = "b";
  Support.wait_for (() => lost != "");
  assert_true (lost == "k 'a' 'b'; " || lost == "k 'b' 'a'; ");
  lost = "";
  a.data = 1;
  b.data = 2;
  Support.wait_for (() => lost != "");
  assert_true (lost == "all 1 2; " || lost == "all 2 1; ");
  a.close_sync ();
  b.close_sync ();
}

class Label : Object {
  public string? text { get; set; }
  public bool on { get; set; }
}

void test_property_bindings () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  var copy = new Amnesia.Store ();
  var label = new Label ();

  a["k"] = 1;
  a.bind_property ("data", copy, "data", SYNC_CREATE | BIDIRECTIONAL);
  check_data (copy, "{'k': <1>}");
  a["k"] = 2;
  check_data (copy, "{'k': <2>}");
  copy["k"] = 3;
  check_data (a, "{'k': <3>}");
  a.bind_property ("listening", label, "text", SYNC_CREATE);
  assert_cmpstr (label.text, CompareOperator.EQ, a.listening);
  a.peers.get_item (0).bind_property ("in-sync", label, "on", SYNC_CREATE);
  Support.wait_for (() => label.on);
  b.close_sync ();
  Support.wait_for (() => !label.on);
  a.close_sync ();
  assert_null (label.text);
}

int main (string[] args) {
  Test.init (ref args);
  Support.add_throwing ("/keys/set", test_set);
  Support.add_throwing ("/keys/contains", test_contains);
  Support.add_throwing ("/keys/methods", test_methods);
  Support.add_throwing ("/keys/iteration", test_iteration);
  Support.add_throwing ("/keys/set-keys", test_set_keys);
  Support.add_throwing ("/keys/refused", test_refused);
  Support.add_throwing ("/keys/key-changed", test_key_changed);
  Support.add_throwing ("/keys/both-at-once", test_both_at_once);
  Support.add_throwing ("/keys/superseded", test_superseded);
  Support.add_throwing ("/keys/property-bindings", test_property_bindings);
  return Test.run ();
}
