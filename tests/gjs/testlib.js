// SPDX-License-Identifier: MIT
// What the tests in JavaScript share: a list of tests that says in TAP how each ended.

import System from 'system';

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const PATIENCE_S = 20;
const STEP_MS = 5;

const tests = [];

export function test(name, func) {
    tests.push([name, func]);
}

export async function run() {
    let failed = 0;

    print(`1..${tests.length}`);
    for (const [index, [name, func]] of tests.entries()) {
        try {
            await func();
            print(`ok ${index + 1} ${name}`);
        } catch (error) {
            failed++;
            print(`not ok ${index + 1} ${name}`);
            print(`${error}\n${error.stack}`.replace(/^/gm, '# '));
        }
        // gjs 1.74 collects garbage in slices, and on a busy machine refuses callbacks between them:
        // what a large value leaves behind goes at one go
        System.gc();
    }
    System.exit(failed > 0 ? 1 : 0);
}

// Values in a form where what differs looks different: types that JSON lacks, and -0.
function show(value) {
    return JSON.stringify(value, (key, part) => {
        if (typeof part === 'bigint')
            return `bigint ${part}`;
        if (part instanceof Uint8Array)
            return `bytes ${GLib.compute_checksum_for_data(GLib.ChecksumType.SHA256, part)}`;
        if (typeof part === 'number' && (!Number.isFinite(part) || Object.is(part, -0)))
            return `number ${Object.is(part, -0) ? '-0' : part}`;
        return part;
    });
}

export function assertEqual(actual, expected) {
    const [shown, wanted] = [show(actual), show(expected)];

    if (shown !== wanted)
        throw new Error(`${shown?.slice(0, 500)} is not ${wanted?.slice(0, 500)}`);
}

export function assertIncludes(text, part) {
    if (!text.includes(part))
        throw new Error(`“${text}” lacks “${part}”`);
}

// Returns what the function throws, or what its promise is rejected with.
async function caught(func) {
    try {
        await func();
    } catch (error) {
        return error;
    }
    throw new Error('nothing was thrown');
}

export async function assertThrows(func, kind, part) {
    const error = await caught(func);

    if (!(error instanceof kind))
        throw new Error(`${error} is not of the kind that is needed`);
    assertIncludes(error.message, part);
    return error;
}

// Like assertThrows(), for an error of libamnesia.
export async function assertRefused(func, code, part) {
    assertEqual((await assertThrows(func, Amnesia.Error, part)).code, code);
}

export function passTime(milliseconds) {
    return new Promise(resolve => {
        GLib.timeout_add(GLib.PRIORITY_DEFAULT, milliseconds, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        });
    });
}

export async function waitFor(condition) {
    const deadline = GLib.get_monotonic_time() + PATIENCE_S * 1e6;

    while (!condition()) {
        if (GLib.get_monotonic_time() > deadline)
            throw new Error(`waited ${PATIENCE_S} s in vain for ${condition}`);
        await passTime(STEP_MS);
    }
}

// An address of the loopback network that no other test uses: so no port can be taken.
function host() {
    const pid = new Gio.Credentials().get_unix_pid();

    return `127.${1 + (pid >> 16) % 250}.${pid >> 8 & 255}.${pid & 255}`;
}

export function conf(n) {
    return Array.from({length: n}, (_, index) => ({host: host(), port: 7701 + index}));
}

// Calls the function with this many stores that share, and closes them.
export async function withStores(n, func) {
    const entries = conf(n);
    const stores = entries.map(() => new Amnesia.Store({conf: entries}));

    try {
        await Promise.all(stores.map(store => store.open()));
        await func(...stores);
    } finally {
        await Promise.all(stores.map(store => store.close()));
    }
}
