/* SPDX-License-Identifier: MIT */
/* What the tests in Vala share. */

namespace Support {
  const uint PATIENCE_S = 20;

  public delegate bool Condition ();
  public delegate void ThrowingFunc () throws Error;

  /* An address of the loopback network that no other test uses: so no port can be taken. */
  public string host () {
    int pid = Posix.getpid ();

    return "127.%d.%d.%d".printf (1 + (pid >> 16) % 250, pid >> 8 & 255, pid & 255);
  }

  public Amnesia.Conf conf (uint n) {
    var conf = new Amnesia.Conf ();

    for (uint i = 0; i < n; i++) {
      try {
        conf.add_peer (host (), 7701 + i);
      } catch (Amnesia.Error error) {
        assert_no_error (error);
      }
    }
    return conf;
  }

  /* Returns a store that is open. */
  public Amnesia.Store open_store (Amnesia.Conf conf) {
    var store = new Amnesia.Store ();

    store.conf = conf;
    try {
      store.open_sync ();
    } catch (Error error) {
      assert_no_error (error);
    }
    return store;
  }

  public void wait_for (Condition condition) {
    bool expired = false;
    uint clock = Timeout.add_seconds (PATIENCE_S, () => {
      expired = true;
      return Source.CONTINUE;
    });

    while (!condition ()) {
      assert_false (expired);
      MainContext.default ().iteration (true);
    }
    Source.remove (clock);
  }

  /* Iterates the default main context for so long. */
  public void pass_time (uint milliseconds) {
    bool expired = false;

    Timeout.add (milliseconds, () => {
      expired = true;
      return Source.REMOVE;
    });
    wait_for (() => expired);
  }

  /* Whether both are unset, or equal. */
  public bool same (Variant? a, Variant? b) {
    if (a == null || b == null)
      return a == b;
    return a.equal (b);
  }

  public Variant parse (string text) {
    try {
      return Variant.parse (null, text);
    } catch (VariantParseError fault) {
      error ("%s: %s", text, fault.message);
    }
  }

  /* Adds a test that may throw: an error is its failure. */
  public void add_throwing (string path, owned ThrowingFunc func) {
    Test.add_data_func (path, () => {
      try {
        func ();
      } catch (Error error) {
        assert_no_error (error);
      }
    });
  }
}
