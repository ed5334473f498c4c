/* SPDX-License-Identifier: MIT */
/* What a program in Vala may do in handlers, and in other locales. */

void test_sets_again () {
  var store = new Amnesia.Store ();
  int[] seen = {};

  for (int i = 0; i < 3; i++) {
    store.changed.connect ((before, after) => {
      /* the first of the three handlers that sees a value is to go on from there */
      if ((int) store.data < 30 && store.data.equal (after))
        store.data = (int) store.data + 1;
    });
  }
  store.changed.connect ((before, after) => seen += (int) after);
  store.data = 0;
  assert_cmpint ((int) store.data, CompareOperator.EQ, 30);
  assert_cmpint (seen.length, CompareOperator.EQ, 31);
  for (int i = 0; i < seen.length; i++)
    assert_cmpint (seen[i], CompareOperator.EQ, i);
}

void test_removes_itself () {
  var store = new Amnesia.Store ();
  int n_first = 0;
  int n_second = 0;
  ulong handler = 0;

  handler = store.changed.connect (() => {
    n_first++;
    store.disconnect (handler);
  });
  store.changed.connect (() => n_second++);
  store.data = 1;
  store.data = 2;
  assert_cmpint (n_first, CompareOperator.EQ, 1);
  assert_cmpint (n_second, CompareOperator.EQ, 2);
}

/* Holds the only reference, which a handler drops. */
class Holder {
  public Amnesia.Store? store = new Amnesia.Store ();
  public int n_calls;

  public void drop () {
    store = null;
  }

  public void count () {
    n_calls++;
  }
}

void test_drops_the_last_reference () {
  var holder = new Holder ();
  var watched = WeakRef (holder.store);

  holder.store.changed.connect (holder.drop);
  holder.store.changed.connect (holder.count);
  /* without a reference of this function */
  unowned var store = holder.store;

  store.data = 1;
  assert_null (holder.store);
  assert_null (watched.get ());
  assert_cmpint (holder.n_calls, CompareOperator.EQ, 1);
}

void test_nested_loop () {
  var conf = Support.conf (2);
  var a = Support.open_store (conf);
  var b = Support.open_store (conf);
  string log = "";

  Support.wait_for (() => b.state == SYNCED);
  a.changed.connect ((before, after) => {
    if ((int) after != 1)
      return;
    Support.wait_for (() => Support.same (b.data, 1));
    b.data = 2;
    Support.wait_for (() => Support.same (a.data, 2));
  });
  a.changed.connect ((before, after, remote) => {
    log += "%d %s, ".printf ((int) after, remote.to_string ());
  });
  a.data = 1;
  assert_cmpstr (log, CompareOperator.EQ, "1 false, 2 true, ");
}

void check_locale (string name) {
  if (Intl.setlocale (LocaleCategory.ALL, name) == null) {
    Test.skip ("this locale is not here");
    return;
  }
  assert_cmpstr ("%.1f".printf (1.5), CompareOperator.EQ, "1,5");
  try {
    string json = """[{ "host": "I.EXAMPLE", "port": 7701 }]""";
    unowned string host;
    uint port;

    assert_true (new Amnesia.Conf.from_json (json).get_peer (0, out host, out port));
    assert_cmpstr (host, CompareOperator.EQ, "i.example");
    assert_cmpstr (Amnesia.to_json (1.5), CompareOperator.EQ, "1.5");
    assert_true ((double) Amnesia.from_json ("1234.5") == 1234.5);
  } catch (Amnesia.Error error) {
    assert_no_error (error);
  }
  Intl.setlocale (LocaleCategory.ALL, "C");
}

int main (string[] args) {
  Test.init (ref args);
  Test.add_func ("/misuse/V9-sets-again", test_sets_again);
  Test.add_func ("/misuse/V9-removes-itself", test_removes_itself);
  Test.add_func ("/misuse/V9-drops-the-last-reference", test_drops_the_last_reference);
  Test.add_func ("/misuse/V9-nested-loop", test_nested_loop);
  Test.add_func ("/misuse/A11-german", () => check_locale ("de_DE.UTF-8"));
  Test.add_func ("/misuse/A11-turkish", () => check_locale ("tr_TR.UTF-8"));
  return Test.run ();
}
