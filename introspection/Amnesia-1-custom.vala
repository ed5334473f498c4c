// SPDX-License-Identifier: MIT
// What the scanner leaves out, because two callbacks share their user data; as Vala has it of GSettings.

namespace Amnesia {
  [CCode (cheader_filename = "amnesia.h", has_target = false)]
  public delegate bool BindGetMapping (GLib.Value value, GLib.Variant variant, void* user_data);

  [CCode (cheader_filename = "amnesia.h", has_target = false)]
  public delegate GLib.Variant? BindSetMapping (GLib.Value value, void* user_data);

  public class Store : GLib.Object {
    public void bind_with_mapping (string? key, GLib.Object object, string property,
                                   Amnesia.BindFlags flags, Amnesia.BindGetMapping? get_mapping,
                                   Amnesia.BindSetMapping? set_mapping, void* user_data = null,
                                   GLib.DestroyNotify? destroy = null);
  }
}
