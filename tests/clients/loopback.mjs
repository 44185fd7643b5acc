// Imported before a test client: lets it reach this machine and nothing else, so that a test that needs the network
// fails on every machine and not only on one without it.
import net from "node:net";

const LOCAL = /^(localhost|127(\.\d+){3}|::1|\[::1\]|::ffff:127(\.\d+){3})$/i;
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const options = typeof first === "object" && first !== null ? first : { port: first, host: args[1] };
  const host = typeof options.host === "string" ? options.host : "localhost";
  if (!options.path && !LOCAL.test(host)) {
    throw new Error(`a test client tried to reach ${host}`);
  }
  return connect.apply(this, args);
};
