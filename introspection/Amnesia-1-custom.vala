// SPDX-License-Identifier: MIT
// What Vala writes as mem["key"], mem["key"] = value and "key" in mem. vapigen merges it with the
// rest of the class.

namespace Amnesia {
	public class Store : GLib.Object {
		[CCode (cname = "amnesia_store_get_key")]
		public new GLib.Variant? get (string key);
		[CCode (cname = "amnesia_store_set_key")]
		public new void set (string key, GLib.Variant value) throws Amnesia.Error;
		[CCode (cname = "amnesia_store_has_key")]
		public bool contains (string key);
	}
}
