// An echo server that keeps silent on lines beginning with "!", and sleeps 300 ms on lines beginning with "?".
package main

import (
	"net"
	"time"
)

func serve(client net.Conn) {
	buffer := make([]byte, 1024)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			client.Close()
			return
		}
		if buffer[0] == '?' {
			time.Sleep(300 * time.Millisecond)
		}
		if buffer[0] != '!' {
			client.Write(buffer[:n])
		}
	}
}

func main() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	for {
		client, err := server.Accept()
		if err == nil {
			go serve(client)
		}
	}
}
