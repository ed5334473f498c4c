// SPDX-License-Identifier: MIT
// A12: every function, property and signal of the typelib, called with what does not belong there.
// Exceptions are right, and so are criticals, but nothing from JavaScript may crash the process:
// a crash shows as a test that has not come to its end.

import System from 'system';

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GIRepository from 'gi://GIRepository?version=2.0';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';

import {assertEqual, conf, run, test} from './testlib.js';

const N_MIXTURES = 300;

// What is said of all that is not to end the process, nor to fill the log of the tests.
const {LEVEL_CRITICAL, LEVEL_MESSAGE, LEVEL_WARNING} = GLib.LogLevelFlags;

GLib.log_set_always_fatal(GLib.LogLevelFlags.FLAG_FATAL);
for (const domain of ['Amnesia', 'GLib', 'GLib-GObject', 'GLib-GIO', 'Gjs'])
    GLib.log_set_handler(domain, LEVEL_CRITICAL | LEVEL_WARNING | LEVEL_MESSAGE, () => null);

function infos(type) {
    const repository = GIRepository.Repository.get_default();
    const count = repository.get_n_infos('Amnesia');

    return Array.from({length: count}, (_, index) => repository.get_info('Amnesia', index))
        .filter(info => info.get_type() === type);
}

// The names of all methods, and how many arguments they take in C.
function methods(info) {
    return Array.from({length: GIRepository.object_info_get_n_methods(info)}, (_, index) => {
        const method = GIRepository.object_info_get_method(info, index);

        return [method.get_name(), GIRepository.callable_info_get_n_args(method)];
    });
}

const classes = infos(GIRepository.InfoType.OBJECT);
const functions = infos(GIRepository.InfoType.FUNCTION);

// What may come instead of the right thing; anew each time, as some of it is used up.
function zoo() {
    const cancelled = new Gio.Cancellable();

    cancelled.cancel();
    return [
        null, undefined, true, 0, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 53 + 2, 2n ** 70n, 1.5, NaN,
        Infinity, '', 'text', 'a\0b', '\ud800', '%n%s', Symbol('a'), [], [null], {}, {a: null},
        new Uint8Array(), new Uint8Array([0, 255]), new Map(), () => null, class Own {}, /x/,
        GLib.Variant.new_int32(1), GLib.Variant.new_handle(1), GLib.Variant.new_tuple([]),
        new GLib.VariantType('a*'), new GLib.Bytes([1]), new GLib.Error(Gio.IOErrorEnum, 0, 'x'),
        new Gio.Cancellable(), cancelled, new GObject.Object(), new Amnesia.Conf(),
        new Amnesia.Store(), new Amnesia.Peer(), Amnesia.Store, Amnesia.State.ALONE,
    ];
}

// The same sequence each time.
function makeChance() {
    let state = 12;

    return values => {
        state = (state * 1103515245 + 12345) % 2 ** 31;
        return values[(state >> 8) % values.length];
    };
}

function attempt(call, values) {
    try {
        // a promise that is rejected is an exception, too
        call(...values)?.catch?.(() => null);
    } catch {
    }
}

function drain() {
    for (let i = 0; i < 20; i++)
        GLib.MainContext.default().iteration(false);
    System.gc();
}

// Calls with each kind alone, with all the same, and with mixtures of the right length.
function torment(call, nArguments) {
    const choose = makeChance();

    for (let n = 0; n < nArguments + 2; n++) {
        for (const value of zoo())
            attempt(call, Array(n).fill(value));
    }
    for (let n = 2; n <= nArguments; n++) {
        for (let i = 0; i < N_MIXTURES; i++) {
            const values = zoo();

            attempt(call, Array.from({length: n}, () => choose(values)));
        }
    }
    drain();
}

// Objects of a class, in more than one state.
function targets(name) {
    const made = [new Amnesia[name]()];

    if (name === 'Store') {
        made.push(new Amnesia.Store({data: {a: 1}}), new Amnesia.Store({conf: conf(2)}));
        drain();
    }
    if (name === 'Peer')
        made.push(targets('Store')[2].peers.get_item(0));
    return made.filter(each => each !== null);
}

test('A12 all are there', () => {
    assertEqual(classes.map(info => info.get_name()).sort(), ['Change', 'Conf', 'Peer', 'Store']);
    assertEqual(functions.some(info => info.get_name() === 'from_json'), true);
});

test('A12 functions', () => {
    for (const info of functions)
        torment(Amnesia[info.get_name()], GIRepository.callable_info_get_n_args(info));
});

for (const info of classes) {
    const name = info.get_name();

    test(`A12 constructors of ${name}`, () => {
        const specs = GObject.Object.list_properties.call(Amnesia[name]);

        for (const property of [...specs.map(spec => spec.name), 'no-such']) {
            for (const value of zoo())
                attempt(() => new Amnesia[name]({[property]: value}), []);
        }
        drain();
    });

    test(`A12 methods of ${name}`, () => {
        for (const [method, nArguments] of methods(info)) {
            const isStatic = method in Amnesia[name];

            if (isStatic)
                torment(Amnesia[name][method], nArguments);
            // what GIR says of “new” is a constructor
            for (const target of isStatic ? [] : targets(name)) {
                torment(target[method].bind(target), nArguments);
                attempt(target[method], [target]);
            }
            for (const value of isStatic ? [] : zoo())
                attempt(() => Amnesia[name].prototype[method].call(value), []);
        }
    });

    test(`A12 properties of ${name}`, () => {
        for (const target of targets(name)) {
            for (const spec of GObject.Object.list_properties.call(Amnesia[name])) {
                const property = spec.name.replace(/-/g, '_');

                void target[property];
                for (const value of zoo()) {
                    attempt(() => {
                        target[property] = value;
                    }, []);
                    attempt(() => target.set_property(spec.name, value), []);
                }
            }
        }
        drain();
    });

    test(`A12 signals of ${name}`, () => {
        for (const target of targets(name)) {
            for (const signal of [...GObject.signal_list_ids(Amnesia[name].$gtype)]) {
                const signalName = GObject.signal_name(signal);

                target.connect(signalName, () => {
                    throw new Error('on purpose');
                });
                torment((...values) => target.emit(signalName, ...values), 4);
            }
        }
    });
}

await run();
