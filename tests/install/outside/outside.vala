/* SPDX-License-Identifier: MIT */

int main () {
  var mem = new Amnesia.Store ();

  mem.data = "outside";
  print ("\"%s\" %d\n", mem.data.get_string (), Amnesia.MAJOR_VERSION);
  return 0;
}
