/* SPDX-License-Identifier: MIT */
/* What a store remembers, and what its peers say of themselves, as Vala has it. */

void check_text (string? text, string? expected) {
  assert_cmpstr (text, CompareOperator.EQ, expected);
}

Amnesia.Change change_at (Amnesia.Store store, uint position) {
  return (Amnesia.Change) store.history.get_item (position);
}

void test_off () {
  var store = new Amnesia.Store ();

  assert_cmpuint (store.history_length, CompareOperator.EQ, 0);
  store.data = 1;
  assert_cmpuint (store.history.get_n_items (), CompareOperator.EQ, 0);
}

void test_local () {
  var before = new DateTime.now_utc ();
  var store = new Amnesia.Store ();

  store.history_length = 3;
  store.data = 1;
  store.data = Support.parse ("{'a': <1>, 'b': <2>}");
  store.data = Support.parse ("{'a': <3>}");
  assert_cmpuint (store.history.get_n_items (), CompareOperator.EQ, 3);

  var first = change_at (store, 0);
  var third = change_at (store, 2);

  assert_null (first.key);
  assert_cmpint ((int) first.old, CompareOperator.EQ, 1);
  assert_cmpint ((int) first.@new.lookup_value ("b", null), CompareOperator.EQ, 2);
  check_text (third.key, "b");
  assert_cmpint ((int) third.old, CompareOperator.EQ, 2);
  assert_null (third.@new);
  assert_false (third.remote);
  assert_null (third.writer);
  assert_cmpint ((int) third.when.to_unix (), CompareOperator.GE, (int) before.to_unix ());
}

void test_items_changed () {
  var store = new Amnesia.Store ();
  string[] log = {};

  store.history_length = 2;
  store.history.items_changed.connect ((position, removed, added) => {
    log += "%u-%u+%u".printf (position, removed, added);
  });
  for (int i = 0; i < 3; i++)
    store.data = i;
  store.history_length = 0;
  check_text (string.joinv (" ", log), "0-0+1 1-0+1 0-1+0 1-0+1 0-2+0");
}

void test_by_hand () {
  var change = (Amnesia.Change) Object.@new (typeof (Amnesia.Change), "key", "k", "writer", "a:1");

  check_text (change.key, "k");
  check_text (change.writer, "a:1");
  assert_null (change.old);
}

void test_remote () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);

  b.history_length = 10;
  a.data = "hello";
  Support.wait_for (() => b.history.get_n_items () > 0);

  var change = change_at (b, 0);

  check_text ((string) change.@new, "hello");
  assert_true (change.remote);
  check_text (change.writer, a.listening);
  b.close_sync ();
  a.close_sync ();
}

void test_name_and_status () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var peer = (Amnesia.Peer) a.peers.get_item (0);
  string? last = null;

  peer.notify["status"].connect (() => last = peer.status);
  check_text (peer.name, "%s:7702".printf (Support.host ()));

  var b = Support.open_store (conf);

  Support.wait_for (() => peer.status.has_prefix ("in sync"));
  check_text (last, peer.status);
  b.close_sync ();
  Support.wait_for (() => peer.status.has_prefix ("away"));
  a.close_sync ();
}

/* What a progress bar would be told. */
class Bar {
  public uint n = 0;
  public double shown = 1;

  public void show (double value) {
    assert_true (shown == 1 || value > shown);
    shown = value;
    n++;
  }
}

void test_sending_and_receiving () throws Error {
  var conf = Support.conf (1);
  var a = Support.open_store (conf);
  var slow = new MainContext (); /* of a guest, who turns when we say so */
  var gone = new Bar ();
  var come = new Bar ();

  slow.push_thread_default ();
  var b = new Amnesia.Store ();
  b.conf = conf;
  slow.pop_thread_default ();

  Amnesia.Peer? peer = null, other = null;
  Support.wait_for (() => {
    slow.iteration (false);
    peer = a.peers.get_item (0) as Amnesia.Peer;
    other = b.peers.get_item (0) as Amnesia.Peer;
    return peer != null && peer.in_sync && other != null && other.in_sync;
  });
  assert_true (peer.sending == 1 && other.receiving == 1);
  peer.notify["sending"].connect (() => gone.show (peer.sending));
  other.notify["receiving"].connect (() => come.show (other.receiving));
  a.data = new Variant.from_bytes (new VariantType ("ay"), new Bytes (new uint8[15 * 1024 * 1024]), true);
  Support.wait_for (() => peer.sending < 1);
  while (b.data == null) {
    slow.iteration (false);
    Support.pass_time (250);
  }
  Support.wait_for (() => {
    slow.iteration (false);
    return peer.in_sync;
  });
  assert_true (gone.n > 1 && gone.shown == 1);
  assert_true (come.n > 1 && come.shown == 1);
  b.close_sync ();
  a.close_sync ();
}

int main (string[] args) {
  Test.init (ref args);
  Test.add_func ("/history/off", test_off);
  Test.add_func ("/history/local", test_local);
  Test.add_func ("/history/items-changed", test_items_changed);
  Test.add_func ("/history/by-hand", test_by_hand);
  Support.add_throwing ("/history/remote", test_remote);
  Support.add_throwing ("/history/name-and-status", test_name_and_status);
  Support.add_throwing ("/history/sending-and-receiving", test_sending_and_receiving);
  return Test.run ();
}
