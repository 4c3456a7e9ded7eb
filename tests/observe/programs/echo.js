// An echo server that keeps silent on lines beginning with "!", and waits 300 ms on lines beginning with "?".
require("net").createServer((client) => {
  client.on("data", (data) => {
    if (data[0] === 0x3f) setTimeout(() => client.write(data), 300);
    else if (data[0] !== 0x21) client.write(data);
  });
}).listen(0, "127.0.0.1");
