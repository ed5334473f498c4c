// SPDX-License-Identifier: MIT
// Amnesia as JavaScript has it: plain values for `data` and `conf`, keys as a `Map` has them,
// promises for `open`, `close` and first values, and a prompt that stays live. How values of
// JavaScript and GVariants correspond is said in the manual, on the page “Values”.
//
// An override is a script, not a module: `_init` runs once, with the namespace as `this`.

const {Gio, GLib} = imports.gi;

const BYTES = new GLib.VariantType('ay');
const LIST = new GLib.VariantType('av');
const DICT = new GLib.VariantType('a{sv}');
const VARIANT = new GLib.VariantType('v');

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

// A store takes no more than 64 containers in each other: all that is deeper is refused anyway.
const MAX_DEPTH = 64;

let Amnesia;

// --- values ---

function describe(value) {
    if (value === null || typeof value !== 'object')
        return value === null ? 'null' : typeof value;
    return Object.getPrototypeOf(value).constructor?.name ?? 'object of an unknown class';
}

function isPlain(value) {
    const proto = Object.getPrototypeOf(value);

    return proto === null || proto === Object.prototype;
}

// What of the present value stands where a new member will be: a function each, as most of them
// are never asked.

function unbox(variant) {
    return variant.get_type_string() === 'v' ? unbox(variant.get_variant()) : variant;
}

function presentElement(present, index) {
    const list = present();

    if (!list || !/^[a(](?!{)/.test(list.get_type_string()) || index >= list.n_children())
        return null;
    return unbox(list.get_child_value(index));
}

function presentMembers(present) {
    const dictionary = present();
    const members = new Map();

    if (!dictionary?.get_type_string().startsWith('a{s'))
        return members;
    for (let i = 0; i < dictionary.n_children(); i++) {
        const entry = dictionary.get_child_value(i);

        members.set(entry.get_child_value(0).get_string()[0], unbox(entry.get_child_value(1)));
    }
    return members;
}

function isText(text) {
    return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

function checkText(text, place) {
    if (text.includes('\0'))
        throw new TypeError(`${place} has the character U+0000, which no string can hold`);
    if (!isText(text))
        throw new TypeError(`${place} has half of a surrogate pair: it is no text`);
    return text;
}

// Makes one GVariant, and knows which part it is at, for the errors.
class Packer {
    constructor(name) {
        this._name = name;
        this._keys = [];
        this._parents = [];
    }

    pack(value, present) {
        if (value instanceof GLib.Variant)
            return value;
        switch (typeof value) {
        case 'boolean':
            return GLib.Variant.new_boolean(value);
        case 'number':
            return this._packNumber(value, present);
        case 'bigint':
            return this._packBigInt(value);
        case 'string':
            return GLib.Variant.new_string(this._checkText(value));
        case 'object':
            return this._packObject(value, present);
        default:
            throw this._refuse(value);
        }
    }

    _place() {
        return this._name + this._keys.map(key => `[${JSON.stringify(key)}]`).join('');
    }

    _refuse(value) {
        return new TypeError(`${this._place()} is of type ${describe(value)}, which cannot be ` +
            'shared: use boolean, number, bigint, string, Uint8Array, array, plain object, null ' +
            'or GLib.Variant');
    }

    // JavaScript does not tell 1.0 from 1: what others wrote as a double remains one.
    _packNumber(value, present) {
        if (Number.isSafeInteger(value) && present()?.get_type_string() !== 'd')
            return GLib.Variant.new_int64(value);
        return GLib.Variant.new_double(value);
    }

    _packBigInt(value) {
        if (value >= INT64_MIN && value <= INT64_MAX)
            return GLib.Variant.new_int64(value);
        if (value >= 0n && value <= UINT64_MAX)
            return GLib.Variant.new_uint64(value);
        throw new RangeError(`${this._place()} is ${value}: a whole number is from ${INT64_MIN} ` +
            `to ${UINT64_MAX}`);
    }

    _checkText(text) {
        return checkText(text, this._place());
    }

    _packObject(value, present) {
        if (value instanceof Uint8Array)
            return GLib.Variant.new_from_bytes(BYTES, new GLib.Bytes(value), true);
        if (value instanceof GLib.Bytes)
            return GLib.Variant.new_from_bytes(BYTES, value, true);
        if (Array.isArray(value))
            return this._packChildren(value, LIST, this._packElements, present);
        if (isPlain(value))
            return this._packChildren(value, DICT, this._packItems, present);
        throw this._refuse(value);
    }

    _packChildren(value, type, packAll, present) {
        if (this._parents.includes(value))
            throw new TypeError(`${this._place()} contains itself`);
        if (this._parents.length === MAX_DEPTH) {
            throw new Amnesia.Error({
                code: Amnesia.Error.INVALID_VALUE,
                message: `${this._place()} lies deeper than ${MAX_DEPTH} containers`,
            });
        }
        const builder = new GLib.VariantBuilder(type);

        this._parents.push(value);
        this._keys.push(null);
        packAll.call(this, builder, value, present);
        this._keys.pop();
        this._parents.pop();
        return builder.end();
    }

    _packElements(builder, value, present) {
        for (let i = 0; i < value.length; i++) {
            this._keys[this._keys.length - 1] = i;
            builder.add_value(this._packMember(value[i], () => presentElement(present, i)));
        }
    }

    _packItems(builder, value, present) {
        let members = null;

        for (const [key, child] of Object.entries(value)) {
            this._keys[this._keys.length - 1] = key;
            if (child === undefined)
                continue;
            const name = GLib.Variant.new_string(this._checkText(key));
            const member = this._packMember(child, () => {
                members ??= presentMembers(present);
                return members.get(key);
            });

            builder.add_value(GLib.Variant.new_dict_entry(name, member));
        }
    }

    _packMember(value, present) {
        return GLib.Variant.new_variant(this.packPart(value, present));
    }

    // As pack(), for what is inside of something: there null is a value.
    packPart(value, present) {
        return value === null || value === undefined
            ? GLib.Variant.new_maybe(VARIANT, null)
            : this.pack(value, present);
    }
}

function packAs(name, value, present) {
    return value === null || value === undefined ? null : new Packer(name).pack(value, present);
}

// Makes a GLib.Variant of a value, as setting `data` does of one that was unset; null of null.
function pack(value) {
    return packAs('value', value, () => null);
}

function unpackChildren(variant) {
    return Array.from({length: variant.n_children()}, (_, i) => unpack(variant.get_child_value(i)));
}

// The getters of GLib.Variant round what is beyond 2^53.
function unpackLarge(variant) {
    const digits = variant.print(false);
    const number = Number(digits);

    return Number.isSafeInteger(number) ? number : BigInt(digits);
}

function unpackMaybe(variant) {
    return unpack(variant.get_maybe());
}

function unpackArray(variant) {
    const type = variant.get_type_string();

    // a copy: the bytes themselves are the store's
    if (type === 'ay')
        return variant.get_data_as_bytes().toArray().slice();
    return type.startsWith('a{')
        ? Object.fromEntries(unpackChildren(variant))
        : unpackChildren(variant);
}

const UNPACKERS = {
    b: variant => variant.get_boolean(),
    y: variant => variant.get_byte(),
    n: variant => variant.get_int16(),
    q: variant => variant.get_uint16(),
    i: variant => variant.get_int32(),
    u: variant => variant.get_uint32(),
    x: unpackLarge,
    t: unpackLarge,
    h: variant => variant.get_handle(),
    d: variant => variant.get_double(),
    s: variant => variant.get_string()[0],
    o: variant => variant.get_string()[0],
    g: variant => variant.get_string()[0],
    v: variant => unpack(variant.get_variant()),
    m: unpackMaybe,
    a: unpackArray,
    '(': unpackChildren,
    '{': unpackChildren,
};

// Makes a value of a GLib.Variant, as reading `data` does; null of null. It is for the arguments of
// signals, such as `changed`, which are GLib.Variants.
function unpack(variant) {
    return variant === null ? null : UNPACKERS[variant.get_type_string()[0]](variant);
}

// --- the configuration ---

function makeConf(value) {
    if (value === null || value === undefined)
        return null;
    if (value instanceof Amnesia.Conf)
        return value;
    if (typeof value === 'string')
        return Amnesia.Conf.new_from_file(value);
    if (Array.isArray(value) || typeof value === 'object' && isPlain(value))
        return Amnesia.Conf.new_from_json(JSON.stringify(value));
    throw new TypeError(`conf is of type ${describe(value)}: use an array of hosts and ports, an ` +
        'object, the name of a file, an Amnesia.Conf or null');
}

function isObject(value) {
    return typeof value === 'object' && value !== null;
}

// --- keys ---

function checkKey(key) {
    if (typeof key !== 'string')
        throw new TypeError(`a key is of type ${describe(key)}: use string`);
    return key;
}

function checkNewKey(key) {
    return checkText(checkKey(key), 'the key');
}

// What is no text at all is no key of anything.
function find(store, key) {
    return isText(checkKey(key)) ? store.get_key(key) : null;
}

function packKey(store, key, value) {
    const packer = new Packer(`data[${JSON.stringify(key)}]`);

    return packer.packPart(value, () => store.get_key(key));
}

function packKeys(store, keys) {
    if (keys instanceof GLib.Variant && keys.is_of_type(DICT))
        return keys;
    if (isObject(keys) && isPlain(keys))
        return packAs('data', keys, () => store.get_data());
    throw new TypeError(`the keys are of type ${describe(keys)}: use a plain object`);
}

// What a store has of a Map: its keys are those of `data`. What keys(), values() and entries() go
// through is a copy, as `data` is.
const keyMethods = {
    get(key) {
        const value = find(this, key);

        return value === null ? undefined : unpack(value);
    },

    has(key) {
        return find(this, key) !== null;
    },

    set(key, value) {
        this.set_key(checkNewKey(key), packKey(this, key, value));
        return this;
    },

    // Sets several keys at once: those who share see all of them, or none.
    assign(keys) {
        this.set_keys(packKeys(this, keys));
        return this;
    },

    delete(key) {
        const had = this.has(key);

        if (had)
            this.remove_key(key);
        return had;
    },

    keys() {
        return this.list_keys().values();
    },

    values() {
        return copyEntries(this).map(([, value]) => value).values();
    },

    entries() {
        return copyEntries(this).values();
    },

    [Symbol.iterator]() {
        return this.entries();
    },

    forEach(func, self = undefined) {
        for (const [key, value] of this.entries())
            func.call(self, value, key, this);
    },
};

function copyEntries(store) {
    const keys = store.list_keys();
    const data = keys.length > 0 ? store.data : null;

    return keys.map(key => [key, data[key]]);
}

function patchKeys(proto) {
    const setProperties = proto.set;

    for (const name of Reflect.ownKeys(keyMethods)) {
        Object.defineProperty(proto, name, {
            configurable: true,
            writable: true,
            value: keyMethods[name],
        });
    }
    // every GObject has a set() already, of an object of properties and nothing else
    proto.set = function (key, ...values) {
        return isObject(key) && values.length === 0
            ? setProperties.call(this, key)
            : keyMethods.set.call(this, key, ...values);
    };
    Object.defineProperty(proto, 'size', {
        configurable: true,
        get() {
            return this.list_keys().length;
        },
    });
}

// --- bindings ---

function checkBound(key) {
    // null is the whole value
    return key === null ? null : checkNewKey(key);
}

// The functions of a binding have and give values of JavaScript.
function patchBindings(proto) {
    const {bind, bind_with_mapping: bindWithMapping, create_action: createAction} = proto;
    const {DEFAULT} = Amnesia.BindFlags;

    proto.bind = function (key, object, property, flags = DEFAULT) {
        bind.call(this, checkBound(key), object, property, flags);
    };
    proto.bind_with_mapping = function (key, object, property, flags = DEFAULT, getMapping = null,
        setMapping = null) {
        const present = () => key === null ? this.get_data() : this.get_key(key);
        const packResult = value => packAs('what set_mapping returned', value, present);

        bindWithMapping.call(this, checkBound(key), object, property, flags,
            getMapping && (variant => getMapping(unpack(variant))),
            setMapping && (value => packResult(setMapping(value))));
    };
    proto.create_action = function (key, defaultState) {
        const packed = packAs('default_state', defaultState, () => this.get_key(key));

        return createAction.call(this, checkNewKey(key), packed);
    };
}

// --- the store ---

// Patched in place, so that the class stays the one that C knows, and can be derived from.
function patchProperties(proto) {
    const defaultData = {
        configurable: true,
        enumerable: true,
        get() {
            return unpack(this.get_default_data());
        },
        set(value) {
            this.set_default_data(packAs('default_data', value, () => this.get_default_data()));
        },
    };

    Object.defineProperties(proto, {
        data: {
            configurable: true,
            enumerable: true,
            get() {
                return unpack(this.get_data());
            },
            set(value) {
                this.write(packAs('data', value, () => this.get_data()));
            },
        },
        // the names that gjs has for one property
        default_data: defaultData,
        defaultData,
        'default-data': defaultData,
        conf: {
            configurable: true,
            enumerable: true,
            get() {
                return this.get_conf();
            },
            set(value) {
                this.set_conf(makeConf(value));
            },
        },
    });
}

// In this order: what is set is written while the default is there.
const NATIVE = ['conf', 'default_data', 'defaultData', 'default-data', 'data'];

function patchConstructor(proto) {
    const initStore = proto._init;

    proto._init = function (properties = {}) {
        const others = {...properties};

        for (const name of NATIVE)
            delete others[name];
        initStore.call(this, others);
        for (const name of NATIVE) {
            if (properties[name] !== undefined)
                this[name] = properties[name];
        }
    };
}

function patchPromises(proto) {
    for (const name of ['open', 'close', 'set_if_unset', 'set_key_if_unset'])
        Gio._promisify(proto, `${name}_async`, `${name}_finish`);
    for (const name of ['open', 'close']) {
        proto[name] = function (cancellable = null) {
            return this[`${name}_async`](cancellable);
        };
    }
    proto.set_if_unset = async function (value, cancellable = null) {
        return this.set_if_unset_async(packAs('data', value, () => this.get_data()), cancellable);
    };
    proto.set_key_if_unset = async function (key, value, cancellable = null) {
        const packed = packKey(this, checkNewKey(key), value);

        return this.set_key_if_unset_async(key, packed, cancellable);
    };
}

function patchChange(proto) {
    for (const name of ['old', 'new']) {
        Object.defineProperty(proto, name, {
            configurable: true,
            enumerable: true,
            get() {
                return unpack(this[`get_${name}`]());
            },
        });
    }
}

function _init() {
    Amnesia = this;
    Amnesia.pack = pack;
    Amnesia.unpack = unpack;
    patchKeys(Amnesia.Store.prototype);
    patchBindings(Amnesia.Store.prototype);
    patchProperties(Amnesia.Store.prototype);
    patchConstructor(Amnesia.Store.prototype);
    patchPromises(Amnesia.Store.prototype);
    patchChange(Amnesia.Change.prototype);
    Amnesia.enable_prompt();
}
