// SPDX-License-Identifier: MIT
// What vapigen merges with what it makes of the GIR: mem["key"], mem["key"] = value and "key" in mem;
// and what the scanner leaves out, because two callbacks share their user data, as Vala has it of
// GSettings.

namespace Amnesia {
  [CCode (cheader_filename = "amnesia.h", has_target = false)]
  public delegate bool BindGetMapping (GLib.Value value, GLib.Variant variant, void* user_data);

  [CCode (cheader_filename = "amnesia.h", has_target = false)]
  public delegate GLib.Variant? BindSetMapping (GLib.Value value, void* user_data);

  public class Store : GLib.Object {
    [CCode (cname = "amnesia_store_get_key")]
    public new GLib.Variant? get (string key);
    [CCode (cname = "amnesia_store_set_key")]
    public new void set (string key, GLib.Variant value) throws Amnesia.Error;
    [CCode (cname = "amnesia_store_has_key")]
    public bool contains (string key);

    public void bind_with_mapping (string? key, GLib.Object object, string property,
                                   Amnesia.BindFlags flags, Amnesia.BindGetMapping? get_mapping,
                                   Amnesia.BindSetMapping? set_mapping, void* user_data = null,
                                   GLib.DestroyNotify? destroy = null);
  }
}
