// SPDX-License-Identifier: Apache-2.0

// connect HOST:PORT: prints the first line that the server says. Knows of no proxy.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
)

func main() {
	connection, err := net.Dial("tcp", os.Args[1])
	if err == nil {
		var line string
		line, err = bufio.NewReader(connection).ReadString('\n')
		fmt.Print(line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
