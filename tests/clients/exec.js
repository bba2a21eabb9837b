// SPDX-License-Identifier: Apache-2.0
//
// The Exec class of @kubernetes/client-node, told on the command line what to do; says as JSON what came of it.
//   node exec.js KUBECONFIG POD TTY STDIN COLUMNSxROWS ARGV...      (STDIN "-": none; sizes "-": none)
import { Readable, Writable } from 'node:stream';
import { Exec, KubeConfig } from '@kubernetes/client-node';

const [config, pod, tty, input, size, ...argv] = process.argv.slice(2);
const kube = new KubeConfig();
kube.loadFromFile(config);

class Collector extends Writable {
    text = '';
    _write(chunk, encoding, done) {
        this.text += chunk.toString();
        done();
    }
}

// What the library's own TerminalSizeQueue does, without a terminal.
class Sized extends Collector {
    constructor(columns, rows) {
        super();
        this.columns = columns;
        this.rows = rows;
    }
}

const stdout = size === '-' ? new Collector() : new Sized(...size.split('x').map(Number));
const stderr = new Collector();
const stdin = input === '-' ? null : Readable.from([Buffer.from(input)]);
const status = await new Promise((resolve, reject) => {
    new Exec(kube)
        .exec('default', pod, '', argv, stdout, stderr, stdin, tty === 'true', resolve)
        .then((socket) => socket.on('error', reject), reject);
    setTimeout(() => reject(new Error('no status within 20 s')), 20000).unref();
});
console.log(JSON.stringify({ stdout: stdout.text, stderr: stderr.text, status }));
process.exit(0);
