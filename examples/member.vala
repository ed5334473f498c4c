/* SPDX-License-Identifier: MIT */
/* Shares a value: sets what it reads, one JSON text per line, and prints each change. */

string to_json (Variant? value) {
  try {
    return Amnesia.to_json (value);
  } catch (Error error) {
    return error.message;
  }
}

async void read_lines (Amnesia.Store mem) {
  var lines = new DataInputStream (new UnixInputStream (Posix.STDIN_FILENO, false));

  while (true) {
    try {
      var line = yield lines.read_line_utf8_async ();

      if (line == null)
        return;
      if (line != "")
        mem.write (Amnesia.from_json (line));
    } catch (Error error) {
      stderr.printf ("member-vala: %s\n", error.message);
    }
  }
}

int main (string[] args) {
  Intl.setlocale ();
  var loop = new MainLoop ();
  var mem = new Amnesia.Store ();

  mem.changed.connect ((old, now, remote) => {
    var time = mem.updated.to_local ().format ("%T");

    print ("%s %s %s -> %s\n", time, remote ? "remote" : "local", to_json (old), to_json (now));
  });
  mem.notify["state"].connect (() => {
    var states = (EnumClass) typeof (Amnesia.State).class_ref ();
    var entry = mem.listening != null ? " as " + mem.listening : "";

    print ("* %s%s\n", states.get_value (mem.state).value_nick, entry);
  });

  try {
    mem.conf = new Amnesia.Conf.from_file (args.length > 1 ? args[1] : "conf.json");
    read_lines.begin (mem, () => loop.quit ());
    foreach (int number in new int[] { Posix.Signal.INT, Posix.Signal.TERM })
      Unix.signal_add (number, () => { loop.quit (); return Source.CONTINUE; });
    loop.run ();
    mem.close_sync ();
  } catch (Error error) {
    stderr.printf ("member-vala: %s\n", error.message);
    return 1;
  }
  return 0;
}
