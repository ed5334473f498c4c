// SPDX-License-Identifier: MIT
// Amnesia as JavaScript has it: plain values for `data` and `conf`, promises for `open` and
// `close`, and a prompt that stays live. How values of JavaScript and GVariants correspond is said
// in the manual, on the page “Values”.
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
    if (typeof value !== 'object')
        return typeof value;
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
        if (text.includes('\0')) {
            throw new TypeError(`${this._place()} has the character U+0000, which no string can ` +
                'hold');
        }
        if (/\p{Surrogate}/u.test(text))
            throw new TypeError(`${this._place()} has half of a surrogate pair: it is no text`);
        return text;
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
        return GLib.Variant.new_variant(value === null || value === undefined
            ? GLib.Variant.new_maybe(VARIANT, null)
            : this.pack(value, present));
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

// --- the store ---

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

// Patched in place, so that the class stays the one that C knows, and can be derived from.
function patchStore(proto) {
    const initStore = proto._init;

    proto._init = function ({conf, data, ...properties} = {}) {
        initStore.call(this, properties);
        if (conf !== undefined)
            this.conf = conf;
        if (data !== undefined)
            this.data = data;
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

    for (const name of ['open', 'close']) {
        Gio._promisify(proto, `${name}_async`, `${name}_finish`);
        proto[name] = function (cancellable = null) {
            return this[`${name}_async`](cancellable);
        };
    }
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
    patchStore(Amnesia.Store.prototype);
    patchChange(Amnesia.Change.prototype);
    Amnesia.enable_prompt();
}
