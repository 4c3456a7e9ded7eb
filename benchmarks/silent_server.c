/* For benchmarks/negative_verdict.py: an echo server that reads everything and never answers. */
#define _GNU_SOURCE
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int on = 1, conn, listener = socket(AF_INET, SOCK_STREAM, 0);
    char buffer[4096];
    if (argc != 2)
        errx(2, "usage: %s PORT", argv[0]);
    address.sin_port = htons((in_port_t)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0)
        err(EXIT_FAILURE, "cannot listen");
    while ((conn = accept(listener, NULL, NULL)) >= 0) {
        while (read(conn, buffer, sizeof buffer) > 0)
            ;
        close(conn);
    }
    return EXIT_SUCCESS;
}
