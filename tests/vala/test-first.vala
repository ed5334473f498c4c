/* SPDX-License-Identifier: MIT */
/* First values, as Vala has them: a default here, and what is set if nobody has set anything. */

void check_data (Amnesia.Store store, string expected) {
  assert_nonnull (store.data);
  assert_cmpstr (store.data.print (true), CompareOperator.EQ, expected);
}

void test_default () throws Error {
  var store = new Amnesia.Store ();
  int n_changed = 0;
  int n_notified = 0;

  store.changed.connect (() => n_changed++);
  store.notify["default-data"].connect (() => n_notified++);
  assert_null (store.default_data);
  store.default_data = Support.parse ("{'a': <1>, 'b': <2>}");
  check_data (store, "{'a': <1>, 'b': <2>}");
  store["b"] = 3;
  check_data (store, "{'a': <1>, 'b': <3>}");
  store.data = 5;
  check_data (store, "5");
  store.data = null;
  check_data (store, "{'a': <1>, 'b': <2>}");
  assert_cmpstr (store.get_default_data ().print (true), CompareOperator.EQ,
                 "{'a': <1>, 'b': <2>}");
  store.default_data = null;
  assert_null (store.data);
  assert_cmpint (n_changed, CompareOperator.EQ, 5);
  assert_cmpint (n_notified, CompareOperator.EQ, 2);
}

void test_default_constructed () {
  var store = Object.new (typeof (Amnesia.Store),
                          "default-data", new Variant.string ("a")) as Amnesia.Store;

  check_data (store, "'a'");
}

void test_default_is_not_sent () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);

  a.default_data = Support.parse ("{'a': <1>}");
  a["b"] = 2;
  Support.wait_for (() => b.data != null);
  check_data (b, "{'b': <2>}");
  check_data (a, "{'a': <1>, 'b': <2>}");
}

bool set_if_unset (Amnesia.Store store, Variant value, Cancellable? cancellable = null)
    throws Error {
  AsyncResult? outcome = null;

  store.set_if_unset_async.begin (value, cancellable, (object, result) => outcome = result);
  Support.wait_for (() => outcome != null);
  return store.set_if_unset_async.end (outcome);
}

bool set_key_if_unset (Amnesia.Store store, string key, Variant value) throws Error {
  AsyncResult? outcome = null;

  store.set_key_if_unset_async.begin (key, value, null, (object, result) => outcome = result);
  Support.wait_for (() => outcome != null);
  return store.set_key_if_unset_async.end (outcome);
}

void test_write_first () throws Error {
  var store = new Amnesia.Store ();

  store.conf = Support.conf (1);
  assert_true (set_if_unset (store, Support.parse ("{'volume': <0.5>}")));
  assert_cmpint (store.state, CompareOperator.EQ, Amnesia.State.ALONE);
  check_data (store, "{'volume': <0.5>}");
  assert_false (set_if_unset (store, 2));
  check_data (store, "{'volume': <0.5>}");
}

void test_write_first_key () throws Error {
  var store = new Amnesia.Store ();

  store.conf = Support.conf (1);
  assert_true (set_key_if_unset (store, "a", 1));
  assert_false (set_key_if_unset (store, "a", 2));
  check_data (store, "{'a': <1>}");
  store.remove_key ("a");
  assert_false (set_key_if_unset (store, "a", 3));
  assert_false ("a" in store);
}

void test_join_late () throws Error {
  var first = new Amnesia.Store ();
  var late = new Amnesia.Store ();

  first.conf = Support.conf (2);
  assert_true (set_if_unset (first, "first"));
  late.conf = Support.conf (2);
  assert_false (set_if_unset (late, "late"));
  check_data (late, "'first'");
  late.close_sync ();
}

void test_be_refused () throws Error {
  var store = new Amnesia.Store ();
  var cancellable = new Cancellable ();

  try {
    set_if_unset (store, 1);
    assert_not_reached ();
  } catch (Amnesia.Error.NOT_CONFIGURED error) {
  }
  store.conf = Support.conf (1);
  try {
    set_key_if_unset (store, "", 1);
    assert_not_reached ();
  } catch (Amnesia.Error.INVALID_KEY error) {
  }
  cancellable.cancel ();
  try {
    set_if_unset (store, 1, cancellable);
    assert_not_reached ();
  } catch (IOError.CANCELLED error) {
  }
  assert_null (store.data);
  store.data = 5;
  try {
    set_key_if_unset (store, "a", 1);
    assert_not_reached ();
  } catch (Amnesia.Error.NOT_A_DICTIONARY error) {
  }
}

int main (string[] args) {
  Test.init (ref args);
  Support.add_throwing ("/first/default", test_default);
  Test.add_func ("/first/default-constructed", test_default_constructed);
  Support.add_throwing ("/first/default-is-not-sent", test_default_is_not_sent);
  Support.add_throwing ("/first/if-unset", test_write_first);
  Support.add_throwing ("/first/key-if-unset", test_write_first_key);
  Support.add_throwing ("/first/newcomer", test_join_late);
  Support.add_throwing ("/first/refused", test_be_refused);
  return Test.run ();
}
