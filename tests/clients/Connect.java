// SPDX-License-Identifier: Apache-2.0

/** Connect HOST PORT: prints the first line that the server says. Knows of no proxy. */
public class Connect {
        public static void main(String[] arguments) throws Exception {
                try (var socket = new java.net.Socket(arguments[0], Integer.parseInt(arguments[1]))) {
                        var reader = new java.io.BufferedReader(new java.io.InputStreamReader(socket.getInputStream()));
                        System.out.println(reader.readLine());
                }
        }
}
