// SPDX-License-Identifier: MIT
// TLS, as JavaScript configures it: by files, and by objects.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {assertEqual, assertThrows, conf, run, test, waitFor} from './testlib.js';

const folder = GLib.dir_make_tmp('amnesia-XXXXXX');
const {host} = conf(1)[0];
const script = `${GLib.getenv('G_TEST_SRCDIR')}/../examples/tls/make-certificates`;
Gio.Subprocess.new([script, folder, host], Gio.SubprocessFlags.STDOUT_SILENCE).wait_check(null);
const certificate = `${folder}/${host}.pem`;
const authorities = `${folder}/authority.pem`;

function newConf() {
    const made = new Amnesia.Conf();
    for (const entry of conf(2))
        made.add_peer(entry.host, entry.port);
    return made;
}

function byFiles() {
    const made = newConf();
    made.set_tls_files(certificate, null, authorities);
    return made;
}

function byObjects() {
    const made = newConf();
    made.tls_certificate = Gio.TlsCertificate.new_from_file(certificate);
    made.tls_database = Gio.TlsFileDatabase.new(authorities);
    made.require_tls = true;
    return made;
}

test('a value that is shared by TLS', async () => {
    const a = new Amnesia.Store({conf: byFiles()});
    const b = new Amnesia.Store({conf: byObjects()});
    try {
        a.data = 'by files';
        await waitFor(() => b.data === 'by files');
        assertEqual(b.peers.get_item(0).way, Amnesia.Way.TLS);
    } finally {
        await a.close();
        await b.close();
    }
});

test('properties', () => {
    const made = byObjects();
    assertEqual(made.tls_certificate instanceof Gio.TlsCertificate, true);
    assertEqual(made.tls_database instanceof Gio.TlsDatabase, true);
    assertEqual(made.require_tls, true);
    made.tls_names = ['laptop.example'];
    assertEqual(made.tls_names, ['laptop.example']);
});

test('a wrong file', async () => {
    await assertThrows(() => newConf().set_tls_files(authorities, null, authorities),
        Amnesia.Error, 'no private key');
});

await run();
for (const name of [certificate, authorities, `${folder}/authority-key.pem`, folder])
    GLib.unlink(name) === 0 || GLib.rmdir(name);
