// Sends some messages over one transport and prints what comes back, as JSON.
// Arguments: address of the server, name of the transport, the messages as a JSON list.
const SockJS = require("sockjs-client");

const [url, transport, messages] = process.argv.slice(2);
const expected = JSON.parse(messages);
const received = [];
const socket = new SockJS(url, null, { transports: transport });

socket.onopen = () => expected.forEach((message) => socket.send(message));
socket.onmessage = (event) => {
  received.push(event.data);
  if (received.length === expected.length) socket.close();
};
socket.onclose = (event) => {
  console.log(JSON.stringify({ transport: socket.transport || transport, code: event.code, received }));
  process.exit(received.length === expected.length ? 0 : 1);
};
setTimeout(() => {
  console.log(JSON.stringify({ transport, code: "too late", received }));
  process.exit(2);
}, 30000);
