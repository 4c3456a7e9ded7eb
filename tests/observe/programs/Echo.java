/* An echo server that keeps silent on lines beginning with "!", and sleeps 300 ms on lines beginning with "?". */
import java.net.ServerSocket;
import java.net.Socket;

public class Echo {
    public static void main(String[] arguments) throws Exception {
        try (ServerSocket server = new ServerSocket(0)) {
            while (true) {
                Socket client = server.accept();
                new Thread(() -> serve(client)).start();
            }
        }
    }

    private static void serve(Socket client) {
        byte[] buffer = new byte[1024];
        try (client) {
            for (int n; (n = client.getInputStream().read(buffer)) > 0; ) {
                if (buffer[0] == '?')
                    Thread.sleep(300);
                if (buffer[0] != '!')
                    client.getOutputStream().write(buffer, 0, n);
            }
        } catch (Exception error) {
            error.printStackTrace();
        }
    }
}
