/* SPDX-License-Identifier: MIT */
/* Each feature of the store, as Vala has it. */

string seen (Variant? before, Variant? after, bool remote) {
  return "%s %s %s".printf (before != null ? before.print (true) : "unset",
                            after != null ? after.print (true) : "unset",
                            remote.to_string ());
}

void check_text (string? text, string? expected) {
  assert_cmpstr (text, CompareOperator.EQ, expected);
}

void check_state (Amnesia.Store store, Amnesia.State expected) {
  assert_cmpint (store.state, CompareOperator.EQ, expected);
}

void test_conf () {
  var store = new Amnesia.Store ();

  assert_null (store.conf);
  store.conf = Support.conf (2);
  assert_cmpuint (store.conf.get_n_peers (), CompareOperator.EQ, 2);
  store.conf = null;
  assert_null (store.conf);
}

void test_conf_from_json () throws Error {
  string json = """{ "peers": [{ "host": "10.0.1.2", "port": 7777 }], "group": "küche" }""";
  string path;
  unowned string host;
  uint port;
  var conf = new Amnesia.Conf.from_json (json);

  check_text (conf.group, "küche");
  assert_true (conf.get_peer (0, out host, out port));
  check_text (host, "10.0.1.2");
  assert_cmpuint (port, CompareOperator.EQ, 7777);

  FileUtils.close (FileUtils.open_tmp ("conf-XXXXXX.json", out path));
  FileUtils.set_contents (path, json);
  assert_cmpuint (new Amnesia.Conf.from_file (path).get_n_peers (), CompareOperator.EQ, 1);
  FileUtils.remove (path);
}

void test_conf_built () throws Error {
  var conf = new Amnesia.Conf () { group = "küche", max_size = 2048 };

  conf.clock_limit = 60;
  conf.local = false;
  conf.add_peer ("10.0.1.2", 7777);
  conf.add_allow ("10.0.1.0/24");
  conf.set_listen ("0.0.0.0", 7777);
  assert_cmpuint (conf.get_n_peers (), CompareOperator.EQ, 1);
  check_text (conf.group, "küche");
  assert_true (conf.max_size == 2048);
  assert_cmpuint (conf.clock_limit, CompareOperator.EQ, 60);
  assert_false (conf.local);
  try {
    conf.add_allow ("10.0.1.1/24");
    assert_not_reached ();
  } catch (Amnesia.Error.INVALID_CONF error) {
    assert_true ("10.0.1.1/24" in error.message);
  }
}

void test_conf_wrong () {
  try {
    new Amnesia.Conf.from_json ("[]");
    assert_not_reached ();
  } catch (Amnesia.Error.INVALID_CONF error) {
    assert_true ("empty" in error.message);
  } catch (Amnesia.Error error) {
    assert_not_reached ();
  }
}

void test_changed () {
  var store = new Amnesia.Store ();
  string[] log = {};

  assert_null (store.data);
  store.changed.connect ((before, after, remote) => log += seen (before, after, remote));
  store.data = 5;
  store.data = 5;
  assert_cmpint ((int) store.data, CompareOperator.EQ, 5);
  store.data = null;
  assert_cmpint (log.length, CompareOperator.EQ, 2);
  check_text (log[0], "unset 5 false");
  check_text (log[1], "5 unset false");
}

void test_notify () {
  var store = new Amnesia.Store ();
  int n = 0;

  store.notify["data"].connect (() => n++);
  store.data = 1;
  store.data = 1;
  store.data = 2;
  assert_cmpint (n, CompareOperator.EQ, 2);
}

void test_updated () {
  var store = new Amnesia.Store ();

  assert_null (store.updated);
  store.data = true;
  assert_true (new DateTime.now_utc ().difference (store.updated).abs () < TimeSpan.MINUTE);
}

void test_refused () {
  var store = new Amnesia.Store ();
  string[] log = {};

  store.log.connect ((message) => log += message);
  try {
    store.write (Support.parse ("handle 1"));
    assert_not_reached ();
  } catch (Amnesia.Error.INVALID_VALUE error) {
    assert_true ("“h”" in error.message);
  } catch (Amnesia.Error error) {
    assert_not_reached ();
  }
  store.data = Support.parse ("handle 1");
  assert_cmpint (log.length, CompareOperator.EQ, 1);
  assert_true ("“h”" in log[0]);
  assert_null (store.data);
}

void test_set_in_handler () {
  var store = new Amnesia.Store ();
  string[] log = {};

  store.changed.connect ((before, after) => {
    if ((int) after == 1)
      store.data = 2;
  });
  store.changed.connect ((before, after, remote) => log += seen (before, after, remote));
  store.data = 1;
  check_text (log[0], "unset 1 false");
  check_text (log[1], "1 2 false");
}

void test_open_sync () throws Error {
  var store = new Amnesia.Store ();

  check_state (store, CLOSED);
  store.conf = Support.conf (1);
  assert_true (store.open_sync ());
  check_state (store, ALONE);
  assert_true (store.listening.has_suffix (":7701"));
  assert_true (store.close_sync ());
  check_state (store, CLOSED);
  assert_null (store.listening);
}

async void open_and_close () {
  var store = new Amnesia.Store ();

  try {
    yield store.open_async ();
    assert_not_reached ();
  } catch (Error error) {
    assert_error (error, Amnesia.Error.quark (), Amnesia.Error.NOT_CONFIGURED);
  }
  store.conf = Support.conf (1);
  try {
    yield store.open_async ();
    check_state (store, ALONE);
    yield store.close_async ();
    check_state (store, CLOSED);
  } catch (Error error) {
    assert_no_error (error);
  }
}

void test_open_async () {
  var loop = new MainLoop ();

  open_and_close.begin (() => loop.quit ());
  loop.run ();
}

void test_background () {
  var store = new Amnesia.Store ();

  store.conf = Support.conf (1);
  Support.wait_for (() => store.state == ALONE);
  store.conf = null;
  Support.wait_for (() => store.state == CLOSED);
}

void test_share () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  string[] log = {};

  b.changed.connect ((before, after, remote) => log += seen (before, after, remote));
  a.data = "x";
  Support.wait_for (() => b.data != null);
  check_text ((string) b.data, "x");
  check_text (log[0], "unset 'x' true");
  b.data = "y";
  Support.wait_for (() => (string) a.data == "y");
  /* the handler holds what it uses, so they would live on */
  a.close_sync ();
  b.close_sync ();
}

void test_late_member () {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);

  a.data = "x";
  var b = Support.open_store (conf);

  check_state (b, SYNCED);
  check_text ((string) b.data, "x");
}

void test_peers () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  var peer = (Amnesia.Peer) a.peers.get_item (0);

  assert_cmpuint (a.peers.get_n_items (), CompareOperator.EQ, 1);
  assert_cmpuint (peer.port, CompareOperator.EQ, 7702);
  Support.wait_for (() => peer.state == CONNECTED);
  assert_cmpint (peer.way, CompareOperator.EQ, Amnesia.Way.TCP);
  a.data = 1;
  Support.wait_for (() => peer.in_sync);
  /* the first heartbeat tells */
  Support.wait_for (() => peer.round_trip >= 0);
  assert_true (peer.clock_offset.abs () < TimeSpan.SECOND);
  assert_true (peer.last_error == null);
  b.close_sync ();
  Support.wait_for (() => peer.state == AWAY && peer.last_error != null);
}

void test_local_way () throws Error {
  var folder = DirUtils.make_tmp ("amnesia-XXXXXX");

  Environment.set_variable ("XDG_RUNTIME_DIR", folder, true);
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  var peer = (Amnesia.Peer) a.peers.get_item (0);

  Support.wait_for (() => peer.way == LOCAL);
  a.data = 1;
  Support.wait_for (() => b.data != null);
  b.close_sync ();
  var by_tcp = Support.conf (2);
  by_tcp.local = false;
  b.conf = by_tcp;
  Support.wait_for (() => peer.way == TCP);
  a.close_sync ();
  b.close_sync ();
  Environment.set_variable ("XDG_RUNTIME_DIR", "", true);
  assert_cmpint (DirUtils.remove (Path.build_filename (folder, "amnesia")), CompareOperator.EQ, 0);
  assert_cmpint (DirUtils.remove (folder), CompareOperator.EQ, 0);
}

void test_guest () throws Error {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var guest = new Amnesia.Store ();

  guest.guest = true;
  assert_true (guest.guest);
  guest.conf = conf;
  guest.open_sync ();
  assert_true (guest.listening == null);
  guest.data = "x";
  Support.wait_for (() => a.data != null);
}

void test_close_timeout () {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);

  assert_cmpuint (a.close_timeout, CompareOperator.EQ, 5000);
  a.close_timeout = 0;
  a.data = string.nfill (8 * 1024 * 1024, 'a');
  try {
    a.close_sync ();
    assert_not_reached ();
  } catch (Error error) {
    assert_error (error, Amnesia.Error.quark (), Amnesia.Error.NOT_IN_SYNC);
    assert_true (b.listening in error.message);
  }
}

void test_error () throws Error {
  var address = new InetSocketAddress.from_string (Support.host (), 7799);
  var other = new SocketListener ();
  var store = new Amnesia.Store ();
  var json = """{ "peers": [{ "host": "%s", "port": 7701 }],
                  "listen": { "host": "%s", "port": 7799 } }""";

  other.add_address (address, STREAM, TCP, null, null);
  assert_true (store.error == null);
  store.conf = new Amnesia.Conf.from_json (json.printf (Support.host (), Support.host ()));
  Support.wait_for (() => store.error != null);
  assert_true ("7799" in store.error.message);
  check_state (store, CLOSED);
}

int main (string[] args) {
  Test.init (ref args);
  Test.add_func ("/store/conf", test_conf);
  Support.add_throwing ("/store/conf-from-json", test_conf_from_json);
  Support.add_throwing ("/store/conf-built", test_conf_built);
  Test.add_func ("/store/conf-wrong", test_conf_wrong);
  Test.add_func ("/store/changed", test_changed);
  Test.add_func ("/store/notify", test_notify);
  Test.add_func ("/store/updated", test_updated);
  Test.add_func ("/store/refused", test_refused);
  Test.add_func ("/store/V9-set-in-handler", test_set_in_handler);
  Support.add_throwing ("/store/open-sync", test_open_sync);
  Test.add_func ("/store/open-async", test_open_async);
  Test.add_func ("/store/background", test_background);
  Support.add_throwing ("/store/share", test_share);
  Test.add_func ("/store/late-member", test_late_member);
  Support.add_throwing ("/store/peers", test_peers);
  Support.add_throwing ("/store/local-way", test_local_way);
  Support.add_throwing ("/store/guest", test_guest);
  Test.add_func ("/store/close-timeout", test_close_timeout);
  Support.add_throwing ("/store/error", test_error);
  return Test.run ();
}
