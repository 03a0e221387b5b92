#define _GNU_SOURCE
#include "CSockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static void copy_peer(const struct sockaddr_storage *from, sockets_peer *peer) {
    memset(peer, 0, sizeof *peer);
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        memcpy(peer->address, &v6->sin6_addr, sizeof peer->address);
        peer->port = ntohs(v6->sin6_port);
    } else if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        peer->address[10] = peer->address[11] = 0xff;
        memcpy(peer->address + 12, &v4->sin_addr, 4);
        peer->port = ntohs(v4->sin_port);
    }
}

static int bind_and_listen(int descriptor, const struct addrinfo *address, int backlog, uint16_t *bound_port) {
    int on = 1, off = 0;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return -errno;
    if (address->ai_family == AF_INET6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return -errno;
    if (bind(descriptor, address->ai_addr, address->ai_addrlen) != 0 || listen(descriptor, backlog) != 0)
        return -errno;
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    if (getsockname(descriptor, (struct sockaddr *)&bound, &length) != 0)
        return -errno;
    sockets_peer self;
    copy_peer(&bound, &self);
    *bound_port = self.port;
    return 0;
}

int sockets_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port) {
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    if (getaddrinfo(host, service, &hints, &address) != 0)
        return -EADDRNOTAVAIL;
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int result = descriptor < 0 ? -errno : bind_and_listen(descriptor, address, backlog, bound_port);
    freeaddrinfo(address);
    if (result < 0 && descriptor >= 0)
        close(descriptor);
    return result < 0 ? result : descriptor;
}

int sockets_accept(int listener, sockets_peer *peer) {
    struct sockaddr_storage from = {0};
    socklen_t length = sizeof from;
    int descriptor = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0)
        return -errno;
    // An answer is written whole; waiting for the acknowledgement of the one before it only adds delay.
    int on = 1;
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    copy_peer(&from, peer);
    return descriptor;
}

void sockets_describe(const sockets_peer *peer, char *text, uint32_t capacity) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    int is_v4 = memcmp(peer->address, mapped, sizeof mapped) == 0;
    if (!inet_ntop(is_v4 ? AF_INET : AF_INET6, peer->address + (is_v4 ? 12 : 0), text, capacity))
        text[0] = '\0';
}

ssize_t sockets_receive(int descriptor, void *bytes, size_t capacity) {
    ssize_t count;
    do
        count = recv(descriptor, bytes, capacity, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t sockets_send(int descriptor, const void *bytes, size_t size, int more) {
    ssize_t count;
    do
        count = send(descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

ssize_t sockets_send_file(int descriptor, int file, int64_t offset, size_t size) {
    off_t position = offset;
    ssize_t count;
    do
        count = sendfile(descriptor, file, &position, size);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

void sockets_end_sending(int descriptor) {
    (void)shutdown(descriptor, SHUT_WR);
}

int sockets_epoll(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int sockets_watch(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0 ? -errno : 0;
}

int sockets_wakeup(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

void sockets_wake(int wakeup) {
    // Fails only when the counter is full, and then the wake-up is still to be seen.
    (void)eventfd_write(wakeup, 1);
}

int sockets_collect(int epoll, struct epoll_event *events, int capacity, int milliseconds) {
    int count;
    do
        count = epoll_wait(epoll, events, capacity, milliseconds);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}
