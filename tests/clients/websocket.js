// SPDX-License-Identifier: Apache-2.0

// websocket.js URL TEXT: sends TEXT through a WebSocket and prints what comes back. Knows of no proxy.
const WebSocket = require('ws');

const socket = new WebSocket(process.argv[2]);
socket.on('open', () => socket.send(process.argv[3]));
socket.on('message', (data) => { console.log(data.toString()); socket.close(); });
socket.on('error', (error) => { console.error(error.message); process.exitCode = 1; });
