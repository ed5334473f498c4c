/* SPDX-License-Identifier: MIT */
/* TLS, as Vala configures it: by files, and by objects. */

string folder;

string certificate () {
  return folder + "/" + Support.host () + ".pem";
}

string authorities () {
  return folder + "/authority.pem";
}

Amnesia.Conf new_conf () throws Error {
  var made = new Amnesia.Conf ();

  made.add_peer (Support.host (), 7701);
  made.add_peer (Support.host (), 7702);
  return made;
}

Amnesia.Conf by_files () throws Error {
  var made = new_conf ();

  made.set_tls_files (certificate (), null, authorities ());
  return made;
}

Amnesia.Conf by_objects () throws Error {
  var made = new_conf ();

  made.tls_certificate = new TlsCertificate.from_file (certificate ());
  made.tls_database = TlsFileDatabase.@new (authorities ());
  made.require_tls = true;
  return made;
}

void test_shared () throws Error {
  var a = new Amnesia.Store ();
  var b = new Amnesia.Store ();

  a.conf = by_files ();
  b.conf = by_objects ();
  a.data = new Variant.int64 (5);
  Support.wait_for (() => b.data != null);
  assert_cmpstr (b.data.print (false), CompareOperator.EQ, "5");
  var peer = b.peers.get_item (0) as Amnesia.Peer;
  assert_true (peer.way == Amnesia.Way.TLS);
  a.close_sync ();
  b.close_sync ();
}

void test_properties () throws Error {
  var made = by_objects ();

  assert_nonnull (made.tls_certificate);
  assert_nonnull (made.tls_database);
  assert_true (made.require_tls);
  made.tls_names = { "laptop.example" };
  assert_cmpstr (made.tls_names[0], CompareOperator.EQ, "laptop.example");
}

void test_wrong_file () throws Error {
  try {
    new_conf ().set_tls_files (authorities (), null, authorities ());
    assert_not_reached ();
  } catch (Amnesia.Error.INVALID_CONF error) {
    assert_true ("no private key" in error.message);
  }
}

int main (string[] args) {
  Test.init (ref args);
  try {
    folder = DirUtils.make_tmp ("amnesia-XXXXXX");
    var script = Environment.get_variable ("G_TEST_SRCDIR") + "/../examples/tls/make-certificates";
    new Subprocess (SubprocessFlags.STDOUT_SILENCE, script, folder, Support.host ()).wait_check ();
  } catch (Error error) {
    GLib.error (error.message);
  }
  Support.add_throwing ("/tls/shared", test_shared);
  Support.add_throwing ("/tls/properties", test_properties);
  Support.add_throwing ("/tls/wrong-file", test_wrong_file);
  var status = Test.run ();
  foreach (var name in new string[] { certificate (), authorities (), folder + "/authority-key.pem" })
    FileUtils.unlink (name);
  DirUtils.remove (folder);
  return status;
}
