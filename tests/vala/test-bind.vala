/* SPDX-License-Identifier: MIT */
/* Keys bound to properties, and keys as actions, as Vala has them. */

class Widget : Object {
  public bool on { get; set; }
  public int number { get; set; }
  public double level { get; set; }
  public string? text { get; set; }
}

void check_data (Amnesia.Store store, string expected) {
  assert_nonnull (store.data);
  assert_cmpstr (store.data.print (true), CompareOperator.EQ, expected);
}

void test_both_ways () throws Error {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  store["volume"] = 0.5;
  store.bind ("volume", widget, "level", DEFAULT);
  assert_true (widget.level == 0.5);
  store["volume"] = 0.25;
  assert_true (widget.level == 0.25);
  widget.level = 0.75;
  check_data (store, "{'volume': <0.75>}");
}

void test_absent () {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  widget.text = "mine";
  store.bind ("name", widget, "text", DEFAULT);
  assert_null (store.data);
  assert_cmpstr (widget.text, CompareOperator.EQ, "mine");
  widget.text = "typed";
  check_data (store, "{'name': <'typed'>}");
}

void test_flags () throws Error {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  store["on"] = true;
  store.bind ("on", widget, "on", GET | INVERT_BOOLEAN);
  assert_false (widget.on);
  store["on"] = false;
  assert_true (widget.on);
  widget.on = false;
  check_data (store, "{'on': <false>}");
  widget.number = 5;
  store.bind ("number", widget, "number", SET);
  store["number"] = 6;
  assert_cmpint (widget.number, CompareOperator.EQ, 5);
}

void test_whole_value () {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  store.data = 5;
  store.bind (null, widget, "number", DEFAULT);
  assert_cmpint (widget.number, CompareOperator.EQ, 5);
  widget.number = 6;
  check_data (store, "6");
}

void test_unbind () throws Error {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  store.bind ("number", widget, "number", DEFAULT);
  Amnesia.Store.unbind (widget, "number");
  store["number"] = 5;
  widget.number = 6;
  check_data (store, "{'number': <5>}");
}

void test_shared () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  var mine = new Widget ();
  var other = new Widget ();

  a.bind ("text", mine, "text", DEFAULT);
  b.bind ("text", other, "text", DEFAULT);
  mine.text = "a";
  Support.wait_for (() => other.text == "a");
  other.text = "b";
  Support.wait_for (() => mine.text == "b");
  a.close_sync ();
  b.close_sync ();
}

void test_after_sync () throws Error {
  var conf = Support.conf (2);
  var first = Support.open_store (conf);
  var late = new Amnesia.Store () { conf = conf };
  var widget = new Widget ();

  first["number"] = 5;
  late.bind ("number", widget, "number", AFTER_SYNC);
  widget.number = 6;
  Support.wait_for (() => widget.number == 5);
  check_data (late, "{'number': <5>}");
  check_data (first, "{'number': <5>}");
  first.close_sync ();
  late.close_sync ();
}

bool get_length (Value value, Variant variant, void* user_data) {
  if (variant.is_of_type (VariantType.STRING))
    value.set_int (((string) variant).length);
  return variant.is_of_type (VariantType.STRING);
}

Variant? set_length (Value value, void* user_data) {
  return value.get_int () >= 0 ? new Variant.string (string.nfill (value.get_int (), 'x')) : null;
}

int n_destroyed;

void count_destroyed (void* user_data) {
  n_destroyed++;
}

void test_mapping () throws Error {
  var store = new Amnesia.Store ();
  var widget = new Widget ();

  store["text"] = "four";
  store.bind_with_mapping ("text", widget, "number", DEFAULT, get_length, set_length, null,
                           count_destroyed);
  assert_cmpint (widget.number, CompareOperator.EQ, 4);
  widget.number = 2;
  check_data (store, "{'text': <'xx'>}");
  widget.number = -1;
  check_data (store, "{'text': <'xx'>}");
  store["text"] = 5;
  assert_cmpint (widget.number, CompareOperator.EQ, -1);
  assert_cmpint (n_destroyed, CompareOperator.EQ, 0);
  Amnesia.Store.unbind (widget, "number");
  assert_cmpint (n_destroyed, CompareOperator.EQ, 1);
}

void test_action () throws Error {
  var store = new Amnesia.Store ();
  var lamp = store.create_action ("lamp", false);
  var mode = store.create_action ("mode", "auto");
  var group = new SimpleActionGroup ();

  assert_cmpstr (lamp.name, CompareOperator.EQ, "lamp");
  lamp.activate (null);
  check_data (store, "{'lamp': <true>}");
  store["lamp"] = false;
  assert_false ((bool) lamp.state);
  group.add_action (mode);
  group.activate_action ("mode", "manual");
  assert_cmpstr ((string) store["mode"], CompareOperator.EQ, "manual");
  store["mode"] = 5;
  assert_false (mode.enabled);
}

int main (string[] args) {
  Test.init (ref args);
  Support.add_throwing ("/bind/both-ways", test_both_ways);
  Test.add_func ("/bind/absent", test_absent);
  Support.add_throwing ("/bind/flags", test_flags);
  Test.add_func ("/bind/whole-value", test_whole_value);
  Support.add_throwing ("/bind/unbind", test_unbind);
  Support.add_throwing ("/bind/shared", test_shared);
  Support.add_throwing ("/bind/after-sync", test_after_sync);
  Support.add_throwing ("/bind/mapping", test_mapping);
  Support.add_throwing ("/bind/action", test_action);
  return Test.run ();
}
