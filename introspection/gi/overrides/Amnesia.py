# SPDX-License-Identifier: MIT
"""Amnesia as Python has it: plain values for `data` and `conf`, keys as a dictionary has them, and a
prompt that stays live.

How values of Python and GVariants correspond is said in the manual, on the page “Values”.
"""

import collections.abc
import ctypes
import json
import os
import select
import signal
import sys
import threading
import types

from gi.repository import GLib, GObject

from ..module import get_introspection_module

Amnesia = get_introspection_module("Amnesia")
__all__ = ["pack", "unpack"]

_BYTES = GLib.VariantType("ay")
_LIST = GLib.VariantType("av")
_DICT = GLib.VariantType("a{sv}")
_VARIANT = GLib.VariantType("v")

_INT64 = range(-(2**63), 2**63)
_UINT64 = range(2**64)

# A store takes no more than 64 containers in each other: all that is deeper is refused anyway.
_MAX_DEPTH = 64


def _check_text(text, place):
    if "\0" in text:
        raise ValueError(f"{place} has the character U+0000, which no string can hold")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{place} has half of a surrogate pair at {error.start}: it is no text"
        ) from None
    return text


class _Packer:
    """Makes one GVariant, and knows which part it is at, for the errors."""

    def __init__(self, name):
        self._name = name
        self._keys = []
        self._parents = []

    def pack(self, value):
        if isinstance(value, GLib.Variant):
            return value
        if isinstance(value, bool):
            return GLib.Variant.new_boolean(value)
        if isinstance(value, int):
            # a range is slow to tell whether it has a number of a derived class
            return self._pack_int(int(value))
        if isinstance(value, float):
            return GLib.Variant.new_double(value)
        if isinstance(value, str):
            return GLib.Variant.new_string(self._check_text(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return GLib.Variant.new_from_bytes(_BYTES, GLib.Bytes.new(bytes(value)), True)
        if isinstance(value, collections.abc.Mapping):
            return self._pack_children(value, _DICT, self._pack_items)
        if isinstance(value, (list, tuple)):
            return self._pack_children(value, _LIST, self._pack_elements)
        raise TypeError(
            f"{self._place()} is of type {type(value).__name__}, which cannot be shared: use bool,"
            " int, float, str, bytes, list, tuple, dict, None or GLib.Variant"
        )

    def _place(self):
        return self._name + "".join(f"[{key!r}]" for key in self._keys)

    def _pack_int(self, value):
        if value in _INT64:
            return GLib.Variant.new_int64(value)
        if value in _UINT64:
            return GLib.Variant.new_uint64(value)
        raise OverflowError(
            f"{self._place()} is {value}: a whole number is from {_INT64[0]} to {_UINT64[-1]}"
        )

    def _check_text(self, text):
        return _check_text(text, self._place())

    def _pack_children(self, value, kind, pack_all):
        if any(parent is value for parent in self._parents):
            raise ValueError(f"{self._place()} contains itself")
        if len(self._parents) == _MAX_DEPTH:
            raise GLib.Error.new_literal(
                Amnesia.error_quark(),
                f"{self._place()} lies deeper than {_MAX_DEPTH} containers",
                Amnesia.Error.INVALID_VALUE,
            )
        builder = GLib.VariantBuilder.new(kind)
        self._parents.append(value)
        self._keys.append(None)
        pack_all(builder, value)
        self._keys.pop()
        self._parents.pop()
        return builder.end()

    def _pack_elements(self, builder, value):
        for index, child in enumerate(value):
            self._keys[-1] = index
            builder.add_value(self._pack_member(child))

    def _pack_items(self, builder, value):
        for key, child in value.items():
            self._keys[-1] = key
            if not isinstance(key, str):
                raise TypeError(
                    f"the key of {self._place()} is of type {type(key).__name__}: use str, or a"
                    " GLib.Variant for a dictionary with other keys"
                )
            name = GLib.Variant.new_string(self._check_text(key))
            builder.add_value(GLib.Variant.new_dict_entry(name, self._pack_member(child)))

    def _pack_member(self, value):
        return GLib.Variant.new_variant(self.pack_part(value))

    def pack_part(self, value):
        """As pack(), for what is inside of something: there None is a value."""
        return GLib.Variant.new_maybe(_VARIANT, None) if value is None else self.pack(value)


def _pack(value, name):
    return None if value is None else _Packer(name).pack(value)


def _pack_key(key, value):
    return _Packer(f"data[{key!r}]").pack_part(value)


def pack(value):
    """Makes a GLib.Variant of a Python value, as setting `data` does; of None it makes None."""
    return _pack(value, "value")


def _unpack_text(variant):
    return variant.get_string()


def _unpack_maybe(variant):
    return unpack(variant.get_maybe())


def _unpack_tuple(variant):
    return tuple(unpack(variant.get_child_value(i)) for i in range(variant.n_children()))


def _unpack_array(variant):
    kind = variant.get_type_string()
    if kind == "ay":
        return variant.get_data_as_bytes().get_data()
    if kind.startswith("a{"):
        return dict(map(_unpack_tuple, map(variant.get_child_value, range(variant.n_children()))))
    return [unpack(variant.get_child_value(i)) for i in range(variant.n_children())]


_UNPACKERS = {
    "b": GLib.Variant.get_boolean,
    "y": GLib.Variant.get_byte,
    "n": GLib.Variant.get_int16,
    "q": GLib.Variant.get_uint16,
    "i": GLib.Variant.get_int32,
    "u": GLib.Variant.get_uint32,
    "x": GLib.Variant.get_int64,
    "t": GLib.Variant.get_uint64,
    "h": GLib.Variant.get_handle,
    "d": GLib.Variant.get_double,
    "s": _unpack_text,
    "o": _unpack_text,
    "g": _unpack_text,
    "v": lambda variant: unpack(variant.get_variant()),
    "m": _unpack_maybe,
    "a": _unpack_array,
    "(": _unpack_tuple,
    "{": _unpack_tuple,
}


def unpack(variant):
    """Makes a Python value of a GLib.Variant, as reading `data` does; of None it makes None.

    It is for the arguments of signals, such as `changed`, which are GLib.Variants.
    """
    return None if variant is None else _UNPACKERS[variant.get_type_string()[0]](variant)


def _make_conf(value):
    if value is None or isinstance(value, Amnesia.Conf):
        return value
    if isinstance(value, (str, os.PathLike)):
        return Amnesia.Conf.new_from_file(os.fspath(value))
    if isinstance(value, (list, tuple, dict)):
        return Amnesia.Conf.new_from_json(json.dumps(value))
    raise TypeError(
        f"conf is of type {type(value).__name__}: use a list of hosts and ports, a dict, the name"
        " of a file, an Amnesia.Conf or None"
    )


def _init(self, *args, conf=None, data=None, default_data=None, **properties):
    _init_store(self, *args, **properties)
    if conf is not None:
        self.conf = conf
    if default_data is not None:
        self.default_data = default_data
    if data is not None:
        self.data = data


# Patched in place, so that the class stays the one that C knows, and can be derived from.
_init_store = Amnesia.Store.__init__
Amnesia.Store.__init__ = _init
Amnesia.Store.data = property(
    lambda self: unpack(self.get_data()),
    lambda self, value: self.write(_pack(value, "data")),
    doc="The shared value, or None while it is unset. What cannot be shared raises.",
)
Amnesia.Store.default_data = property(
    lambda self: unpack(self.get_default_data()),
    lambda self, value: self.set_default_data(_pack(value, "default_data")),
    doc="What `data` is while it is unset, here only.",
)
Amnesia.Store.conf = property(
    lambda self: self.get_conf(),
    lambda self, value: self.set_conf(_make_conf(value)),
    doc="Who shares: an Amnesia.Conf. A list, a dict or the name of a file can be set as well.",
)


# --- keys ---


def _check_key(key):
    if not isinstance(key, str):
        raise TypeError(f"a key is of type {type(key).__name__}: use str")
    return key


def _check_new_key(key):
    return _check_text(_check_key(key), "the key")


def _find(store, key):
    try:
        return store.get_key(_check_new_key(key))
    except ValueError:
        # no text at all, so that nothing can be there
        return None


def _copy_keys(store):
    keys = store.list_keys()
    data = store.data if keys else {}
    return {key: data[key] for key in keys}


class _Keys:
    """What a store has of a dictionary: its keys are those of `data`.

    What keys(), values() and items() give is a copy, as `data` is.
    """

    def __getitem__(self, key):
        value = _find(self, key)
        if value is None:
            raise KeyError(key)
        return unpack(value)

    def __setitem__(self, key, value):
        self.set_key(_check_new_key(key), _pack_key(key, value))

    def __delitem__(self, key):
        if _find(self, key) is None:
            raise KeyError(key)
        self.remove_key(key)

    def __contains__(self, key):
        return _find(self, key) is not None

    def __iter__(self):
        return iter(self.list_keys())

    def __len__(self):
        return len(self.list_keys())

    def __bool__(self):
        """A store without keys is a store all the same."""
        return True

    def get(self, key, default=None):
        value = _find(self, key)
        return default if value is None else unpack(value)

    def keys(self):
        return _copy_keys(self).keys()

    def values(self):
        return _copy_keys(self).values()

    def items(self):
        return _copy_keys(self).items()

    def update(self, other=(), /, **keys):
        """Sets several keys at once: those who share see all of them, or none."""
        if not isinstance(other, GLib.Variant):
            other = _pack(dict(other, **keys), "data")
        elif keys or not other.is_of_type(_DICT):
            raise TypeError("a GLib.Variant of keys is of type a{sv}, and comes alone")
        self.set_keys(other)

    def set_if_unset_async(self, value, *arguments, **named):
        return _set_if_unset_async(self, _pack(value, "data"), *arguments, **named)

    def set_key_if_unset_async(self, key, value, *arguments, **named):
        packed = _pack_key(_check_new_key(key), value)
        return _set_key_if_unset_async(self, key, packed, *arguments, **named)


class _Bindings:
    """Bindings whose functions have and give values of Python."""

    def bind(self, key, object, property, flags=Amnesia.BindFlags.DEFAULT):
        _bind(self, _check_bound(key), object, property, flags)

    def bind_with_mapping(
        self,
        key,
        object,
        property,
        flags=Amnesia.BindFlags.DEFAULT,
        get_mapping=None,
        set_mapping=None,
    ):
        _bind_with_mapping(
            self,
            _check_bound(key),
            object,
            property,
            flags,
            get_mapping and (lambda variant: get_mapping(unpack(variant))),
            set_mapping and (lambda value: _pack(set_mapping(value), "what set_mapping returned")),
        )

    def create_action(self, key, default_state):
        return _create_action(self, _check_new_key(key), _pack(default_state, "default_state"))


def _check_bound(key):
    # None is the whole value
    return None if key is None else _check_new_key(key)


_set_if_unset_async = Amnesia.Store.set_if_unset_async
_set_key_if_unset_async = Amnesia.Store.set_key_if_unset_async
_bind = Amnesia.Store.bind
_bind_with_mapping = Amnesia.Store.bind_with_mapping
_create_action = Amnesia.Store.create_action
for _name, _method in (*vars(_Keys).items(), *vars(_Bindings).items()):
    if isinstance(_method, types.FunctionType):
        setattr(Amnesia.Store, _name, _method)


# --- changes ---

Amnesia.Change.old = property(
    lambda self: unpack(self.get_old()), doc="The value before, or None if there was none."
)
Amnesia.Change.new = property(
    lambda self: unpack(self.get_new()), doc="The value after, or None if it was unset or removed."
)

# --- properties ---


def _make_property(name):
    return property(
        lambda self: getattr(self.props, name),
        lambda self, value: setattr(self.props, name, value),
    )


# PyGObject has properties at `props` only, and what is set elsewhere becomes an attribute of Python
# without a word.
for _class in (Amnesia.Change, Amnesia.Conf, Amnesia.Peer, Amnesia.Store):
    for _spec in GObject.list_properties(_class):
        _name = _spec.name.replace("-", "_")
        if not hasattr(_class, _name):
            setattr(_class, _name, _make_property(_name))


# --- the prompt ---

# Long enough for the hook to return, too short to be noticed.
_AFTERWARDS_S = 0.02


def _reads_plain_terminal():
    return sys.__stdin__.isatty() and not ("readline" in sys.modules and sys.__stdout__.isatty())


def _iterate_until_input(context):
    descriptor = sys.__stdin__.fileno()
    wake = GLib.unix_fd_add_full(
        GLib.PRIORITY_DEFAULT, descriptor, GLib.IOCondition.IN, lambda *_: GLib.SOURCE_CONTINUE
    )
    try:
        while not select.select([descriptor], [], [], 0)[0]:
            context.iteration(True)
    finally:
        GLib.source_remove(wake)


def _interrupt():
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@ctypes.PYFUNCTYPE(ctypes.c_int)
def _hook():
    """Lets stores live on while a prompt without Readline waits: called once for each line."""
    try:
        if GLib.main_depth() == 0:
            _iterate_until_input(GLib.MainContext.default())
    except KeyboardInterrupt:
        # It has no way out through C, from here. The prompt takes it once it reads again.
        threading.Timer(_AFTERWARDS_S, _interrupt).start()
    return 0


def _enable_prompt_without_readline():
    slot = ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyOS_InputHook")
    # who has a hook already runs a main loop of its own
    if not slot.value:
        slot.value = ctypes.cast(_hook, ctypes.c_void_p).value


def _enable_prompt():
    # With Readline the hook must not be of Python: Ctrl-C would end in the hook, not at the prompt.
    # Nor may it wait for a pipe: the next line may have been read already.
    if _reads_plain_terminal():
        _enable_prompt_without_readline()
    else:
        Amnesia.enable_prompt()


if hasattr(sys, "ps1") or sys.flags.interactive:
    _enable_prompt()
