/* SPDX-License-Identifier: MIT */
/* Who shares, and what has changed, as Vala has it: lists that a window can show. */

string text_of (Variant? value) {
  return value != null ? value.print (true) : "-";
}

string history (Amnesia.Store store) {
  string text = "";

  for (uint i = 0; i < store.history.get_n_items (); i++) {
    var change = (Amnesia.Change) store.history.get_item (i);

    text += "%s: %s > %s; ".printf (change.key ?? "*", text_of (change.old), text_of (change.new));
  }
  return text;
}

void test_changes () throws Error {
  var store = new Amnesia.Store ();

  assert_cmpuint (store.history_length, CompareOperator.EQ, 0);
  store.data = 4;
  assert_cmpuint (store.history.get_n_items (), CompareOperator.EQ, 0);
  store.history_length = 3;
  store.data = 5;
  store.data = null;
  store["a"] = 1;
  assert_cmpstr (history (store), CompareOperator.EQ, "*: 4 > 5; *: 5 > -; a: - > 1; ");
  store.remove_key ("a");
  assert_cmpstr (history (store), CompareOperator.EQ, "*: 5 > -; a: - > 1; a: 1 > -; ");
  store.history_length = 1;
  assert_cmpstr (history (store), CompareOperator.EQ, "a: 1 > -; ");
}

void test_who () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);

  b.history_length = 10;
  a["a"] = 1;
  Support.wait_for (() => b.history.get_n_items () == 1);
  b["b"] = 2;
  var theirs = (Amnesia.Change) b.history.get_item (0);
  var ours = (Amnesia.Change) b.history.get_item (1);

  assert_true (theirs.remote);
  assert_cmpstr (theirs.writer, CompareOperator.EQ, a.listening);
  assert_true (new DateTime.now_utc ().difference (theirs.when).abs () < TimeSpan.MINUTE);
  assert_false (ours.remote);
  assert_cmpstr (ours.writer, CompareOperator.EQ, b.listening);
  a.close_sync ();
  b.close_sync ();
}

class Line : Object {
  public string text { get; set; default = ""; }
}

void test_peer () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  var peer = (Amnesia.Peer) a.peers.get_item (0);
  var line = new Line ();

  peer.bind_property ("status", line, "text", SYNC_CREATE);
  assert_cmpstr (peer.name, CompareOperator.EQ, b.listening);
  Support.wait_for (() => "TCP" in line.text);
  assert_cmpstr (peer.status, CompareOperator.EQ, line.text);
  b.close_sync ();
  Support.wait_for (() => !("TCP" in line.text));
  a.close_sync ();
}

int main (string[] args) {
  Test.init (ref args);
  Support.add_throwing ("/history/changes", test_changes);
  Support.add_throwing ("/history/who", test_who);
  Support.add_throwing ("/history/peer", test_peer);
  return Test.run ();
}
