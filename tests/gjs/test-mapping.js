// SPDX-License-Identifier: MIT
// Each row of the manual's page on values: what is set in one store is read in another.

import System from 'system';

import Amnesia from 'gi://Amnesia?version=1';
import GLib from 'gi://GLib';

import {
    assertEqual, assertRefused, assertThrows, run, test, waitFor, withStores,
} from './testlib.js';

const {
    INVALID_KEY, INVALID_VALUE, NOT_A_DICTIONARY, TOO_BIG, TOO_MANY_KEYS,
} = Amnesia.Error;

function variant(text) {
    return GLib.Variant.parse(null, text, null, null);
}

// What is set, where that is not what is read.
class Becomes {
    constructor(input, output) {
        Object.assign(this, {input, output});
    }
}

function becomes(input, output) {
    return new Becomes(input, output);
}

function variantOf(number) {
    return becomes(GLib.Variant.new_double(number), number);
}

// Assures that the values travel, as which type, and what is read.
async function check(type, ...values) {
    await withStores(2, async (writer, reader) => {
        for (const [index, value] of values.entries()) {
            // so that an equal value before it cannot be taken for it; compared as a variant, so
            // that waiting for a large value leaves no garbage
            const marker = GLib.Variant.new_string(`marker ${index}`);
            const isMarked = () => reader.get_data()?.equal(marker) ?? false;
            const {input, output} = value instanceof Becomes ? value : becomes(value, value);

            writer.data = marker;
            await waitFor(isMarked);
            writer.data = input;
            System.gc();
            await waitFor(() => !isMarked());
            assertEqual(reader.data, output);
            assertEqual(reader.get_data()?.get_type_string() ?? null, type);
            // at one go, as test() does
            System.gc();
        }
    });
}

function printed(value) {
    return Amnesia.pack(value).print(true);
}

async function checkRefused(value, kind, part) {
    const store = new Amnesia.Store({data: 'before'});

    await assertThrows(() => {
        store.data = value;
    }, kind, part);
    assertEqual(store.data, 'before');
}

async function checkRefusedByStore(value, code, part) {
    const store = new Amnesia.Store({data: 'before'});

    await assertRefused(() => {
        store.data = value;
    }, code, part);
    assertEqual(store.data, 'before');
}

test('unset', () => check(null, null, becomes(undefined, null)));

test('null-member', async () => {
    await check('a{sv}', {a: null, b: [null]});
    assertEqual(printed({a: null}), "{'a': <@mv nothing>}");
    await check('a{sv}', becomes({a: undefined, b: [undefined, 1]}, {b: [null, 1]}));
    // eslint-disable-next-line no-sparse-arrays
    await check('av', becomes([, 1], [null, 1]));
});

test('bool', () => check('b', true, false));

test('int', () => check('x', 0, -5, 2 ** 53 - 1, becomes(5n, 5), becomes(-0, 0)));

test('int64-limits', () => check('x', 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n));

test('uint64', () => check('t', 2n ** 63n, 2n ** 64n - 1n));

test('double', () => check('d', 0.1, 5e-324, 2 ** 53, 1e300, variantOf(1)));

test('double-special', () => check('d', Infinity, -Infinity, NaN, variantOf(-0)));

test('double-kept', () => {
    const store = new Amnesia.Store({data: 1.5});
    const checkKept = (value, text) => {
        store.data = value;
        assertEqual(store.get_data().print(true), text);
    };

    checkKept(2, '2.0');
    checkKept(3n, 'int64 3');
    checkKept(2, 'int64 2');
    checkKept({a: 0.5, b: [0.5, {c: 0.5}], n: 1},
        "{'a': <0.5>, 'b': <[<0.5>, <{'c': <0.5>}>]>, 'n': <int64 1>}");
    checkKept({a: 1, b: [2, {c: 3}], n: 4},
        "{'a': <1.0>, 'b': <[<2.0>, <{'c': <3.0>}>]>, 'n': <int64 4>}");
    checkKept({b: [{c: 1}, 2, 3]}, "{'b': <[<{'c': <int64 1>}>, <int64 2>, <int64 3>]>}");
    store.data = variant("{'a': [1.0, 2.0], 'b': [3.0]}");
    checkKept({a: [1, 2, 3], c: [1]}, "{'a': <[<1.0>, <2.0>, <int64 3>]>, 'c': <[<int64 1>]>}");
    store.data = variant("(1.0, 'a', {'k': 1.0})");
    checkKept([1, 2, {k: 3}], "[<1.0>, <int64 2>, <{'k': <3.0>}>]");
    store.data = variant('{1: 1.0}');
    checkKept({1: 1}, "{'1': <int64 1>}");
    checkKept([1], '[<int64 1>]');
});

test('string', () => check('s', 'Grüße, 𝄞'));

test('empty-string', () => check('s', ''));

test('large-string', () => check('s', '𝄞x'.repeat(2 << 20)));

test('bytes', async () => {
    const value = Uint8Array.from({length: 1 << 20}, (_, index) => index * 7);

    await check('ay', value, becomes(new GLib.Bytes([0, 1, 0]), new Uint8Array([0, 1, 0])));
    await check('av', [value]);
    const store = new Amnesia.Store({data: value});

    store.data[0] = 99;
    assertEqual(store.data[0], 0);
});

test('empty-bytes', async () => {
    await check('ay', new Uint8Array());
    await check('av', [new Uint8Array()]);
});

test('list', () => check('av', [1, 2.5, 'a', true, new Uint8Array([1]), [], {}, [null]]));

test('empty-list', () => check('av', []));

test('dict', () => check('a{sv}', {a: 1, '': {'ä': [2.5]}}, JSON.parse('{"__proto__": {"a": 1}}'),
    Object.assign(Object.create(null), {a: 1})));

test('empty-dict', () => check('a{sv}', {}));

test('tuple', async () => {
    const value = variant("(1, 'a', ('b', @mb nothing))");

    await check('(is(smb))', becomes(value, [1, 'a', ['b', null]]));
    await check('av', becomes([variant('()')], [[]]));
});

test('maybe', async () => {
    await check('mi', becomes(variant('@mi 5'), 5));
    await check('mmi', becomes(variant('@mmi just nothing'), null));
});

test('other-ints', async () => {
    await check('y', becomes(variant('byte 255'), 255));
    await check('n', becomes(variant('int16 -32768'), -32768));
    await check('q', becomes(variant('uint16 65535'), 65535));
    await check('i', becomes(variant('int32 -2147483648'), -(2 ** 31)));
    await check('u', becomes(variant('uint32 4294967295'), 2 ** 32 - 1));
});

test('object-path', async () => {
    await check('o', becomes(variant("objectpath '/a/b'"), '/a/b'));
    await check('g', becomes(variant("signature 'a{sv}'"), 'a{sv}'));
});

test('typed-list', async () => {
    await check('as', becomes(variant("['a', '']"), ['a', '']));
    await check('ad', becomes(variant('[1.0, 2.5]'), [1, 2.5]));
    await check('ai', becomes(variant('@ai []'), []));
    await check('ax', becomes(variant('[int64 9223372036854775807]'), [2n ** 63n - 1n]));
});

test('typed-dict', () => check('a{sd}', becomes(variant("{'a': 1.0}"), {a: 1})));

test('other-keys', () => check('a{xs}', becomes(variant("{int64 9223372036854775807: 'a'}"),
    {'9223372036854775807': 'a'})));

test('variant', async () => {
    await check('v', becomes(variant('<<5.5>>'), 5.5));
    await check('av', becomes([variant('<5.5>')], [5.5]));
});

// As check(), for a key that others have values beside.
async function checkKey(type, ...values) {
    await withStores(2, async (writer, reader) => {
        for (const [index, value] of values.entries()) {
            writer.data = {other: 1, key: `marker ${index}`};
            await waitFor(() => reader.get('key') === `marker ${index}`);
            const {input, output} = value instanceof Becomes ? value : becomes(value, value);

            writer.set('key', input);
            await waitFor(() => reader.get('key') !== `marker ${index}`);
            assertEqual(reader.get('key'), output);
            assertEqual(reader.get_key('key').get_type_string(), type);
            assertEqual([reader.data.key, reader.get('other')], [output, 1]);
        }
    });
}

test('key', async () => {
    await checkKey('b', true);
    await checkKey('x', 5, becomes(5n, 5));
    await checkKey('t', 2n ** 64n - 1n);
    await checkKey('d', 0.5, 2 ** 53);
    await checkKey('s', 'Grüße, 𝄞');
    await checkKey('ay', new Uint8Array([97, 0, 98]));
    await checkKey('av', [1, [null]]);
    await checkKey('a{sv}', {a: {}});
    await checkKey('(is)', becomes(variant("(1, 'a')"), [1, 'a']));
    await checkKey('v', becomes(variant('<5.5>'), 5.5));
});

test('key-null', () => checkKey('mv', null, becomes(undefined, null)));

test('key-double-kept', () => {
    const store = new Amnesia.Store({data: {a: 0.5}});

    store.set('a', 1);
    assertEqual(store.get_key('a').print(true), '1.0');
    store.assign({a: 2, b: 2});
    assertEqual(store.get_data().print(true), "{'a': <2.0>, 'b': <int64 2>}");
});

test('key-several', () => withStores(2, async (writer, reader) => {
    writer.data = {a: 0, b: 0.5};
    writer.assign({b: null, c: [1], d: new Uint8Array([1])});
    await waitFor(() => reader.size === 4);
    assertEqual([...reader.values()], [0, null, [1], new Uint8Array([1])]);
    assertEqual([...reader.keys()].map(key => reader.get_key(key).get_type_string()),
        ['x', 'mv', 'av', 'ay']);
}));

test('key-absent', () => {
    const store = new Amnesia.Store({data: {a: 1, '': 2}});

    for (const key of ['b', '', 'k'.repeat(256), 'a\0', '\ud800']) {
        assertEqual(store.get(key), undefined);
        assertEqual(store.has(key), false);
    }
});

test('key-removed', () => withStores(2, async (writer, reader) => {
    writer.data = {other: 1, key: 2};
    await waitFor(() => reader.has('key'));
    writer.delete('key');
    await waitFor(() => !reader.has('key'));
    assertEqual(reader.data, {other: 1});
    assertEqual(reader.get('key'), undefined);
}));

test('key-order', () => {
    const store = new Amnesia.Store({data: {b: 1, 'ä': 2, B: 3, aa: 4, a: 5}});

    assertEqual([...store.keys()], ['B', 'a', 'aa', 'b', 'ä']);
});

async function checkKeyRefused(data, key, code, part) {
    const store = new Amnesia.Store({data});

    await assertRefused(() => store.set(key, 1), code, part);
    assertEqual(store.data, Amnesia.unpack(Amnesia.pack(data)));
}

test('key-name', async () => {
    for (const key of ['', 'k'.repeat(256), 'ä'.repeat(128)])
        await checkKeyRefused({}, key, INVALID_KEY, '255');
});

test('key-type', async () => {
    const store = new Amnesia.Store({data: {5: 1}});

    await assertThrows(() => store.get(5), TypeError, 'a key is of type number');
    await assertThrows(() => store.set(5, 1), TypeError, 'a key is of type number');
});

test('key-nowhere', async () => {
    for (const data of [5, [1], variant("{'a': 1}")])
        await checkKeyRefused(data, 'a', NOT_A_DICTIONARY, 'dictionary');
});

test('key-too-many', async () => {
    const store = new Amnesia.Store();

    store.assign(Object.fromEntries(Array.from({length: 4096}, (_, i) => [String(i), i])));
    await assertRefused(() => store.set('new', 1), TOO_MANY_KEYS, '4096');
    assertEqual(store.size, 4096);
});

test('handle', async () => {
    await checkRefusedByStore(variant('handle 1'), INVALID_VALUE, '“h”');
    await checkRefusedByStore({a: [variant('handle 1')]}, INVALID_VALUE, '“h”');
});

test('deep', async () => {
    let value = 1;

    for (let depth = 1; depth <= 100000; depth++) {
        value = [value];
        if (depth === 32)
            await check('av', value);
        else if ([33, 64, 65, 100000].includes(depth))
            await checkRefusedByStore(value, INVALID_VALUE, '64 containers');
    }
});

test('key-twice', () => {
    return checkRefusedByStore(variant("{'a': <1>, 'a': <2>}"), INVALID_VALUE, 'twice');
});

test('too-big', () => checkRefusedByStore(new Uint8Array((16 << 20) + 1), TOO_BIG, '16777217'));

test('huge-int', async () => {
    await checkRefused(2n ** 64n, RangeError, 'data is 18446744073709551616');
    await checkRefused({a: [0, -(2n ** 63n) - 1n]}, RangeError, 'data["a"][1] is -9223');
});

test('no-text', async () => {
    await checkRefused('a\0', TypeError, 'data has the character U+0000');
    await checkRefused(['a', '\ud800x'], TypeError, 'data[1] has half of a surrogate pair');
    await checkRefused({'\0': 1}, TypeError, 'U+0000');
    await checkRefused({'\udfff': 1}, TypeError, 'surrogate');
});

test('other-type', async () => {
    await checkRefused({a: [0, 1, 2, new Set()]}, TypeError, 'data["a"][3] is of type Set');
    await checkRefused(() => 0, TypeError, 'data is of type function');
    await checkRefused(Symbol('a'), TypeError, 'data is of type symbol');
    for (const Class of [Date, Map, Float64Array, ArrayBuffer, Amnesia.Store, class Own {}])
        await checkRefused([new Class()], TypeError, 'data[0] is of type');
});

test('cycle', async () => {
    const value = [1];
    const shared = [1];

    value.push({a: value});
    await checkRefused(value, TypeError, 'data[1]["a"] contains itself');
    await check('av', [shared, shared]);
});

test('pack and unpack', async () => {
    assertEqual(printed({a: [1]}), "{'a': <[<int64 1>]>}");
    assertEqual(Amnesia.pack(null), null);
    await assertThrows(() => Amnesia.pack([Symbol('a')]), TypeError, 'value[0] is of type symbol');
    assertEqual(Amnesia.unpack(variant("{'a': <[<b'x'>]>}")), {a: [new Uint8Array([120, 0])]});
    assertEqual(Amnesia.unpack(null), null);
});

test('copy', () => {
    const store = new Amnesia.Store({data: {a: 1}});

    store.data.a = 2;
    assertEqual(store.data, {a: 1});
});

await run();
