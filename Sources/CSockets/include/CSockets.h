#pragma once

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

// What Glibc's Swift module does not export (epoll, accept4) and what is all pointer casts in Swift (socket
// addresses). Every function returns a negated errno on failure, because errno itself is a macro.

/// The other end of a connection. IPv4 stands as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), port in host order.
typedef struct {
    uint8_t address[16];
    uint16_t port;
} sockets_peer;

/// epoll's flags as typed constants: the originals are an anonymous mix of enum cases and macros.
static const uint32_t sockets_readable = EPOLLIN;
static const uint32_t sockets_writable = EPOLLOUT;
static const uint32_t sockets_half_closed = EPOLLRDHUP;
static const uint32_t sockets_broken = (uint32_t)EPOLLHUP | (uint32_t)EPOLLERR;
static const uint32_t sockets_edge_triggered = (uint32_t)EPOLLET;

/// Opens a non-blocking listening TCP socket on a numeric address. Returns the descriptor.
int sockets_listen(const char *host, uint16_t port, int backlog, uint16_t *bound_port);

/// Accepts one connection: non-blocking, close-on-exec, TCP_NODELAY. Returns the descriptor.
int sockets_accept(int listener, sockets_peer *peer);

/// Writes the numeric address of a peer (IPv4 in dotted form) into `text` of at least 46 bytes.
void sockets_describe(const sockets_peer *peer, char *text, uint32_t capacity);

/// Receives without blocking; 0 is the end of the stream.
ssize_t sockets_receive(int descriptor, void *bytes, size_t capacity);

/// Sends without blocking and without SIGPIPE; `more` tells the kernel that the next bytes follow at once.
ssize_t sockets_send(int descriptor, const void *bytes, size_t count, int more);

/// Sends file content from `offset` without blocking.
ssize_t sockets_send_file(int descriptor, int file, int64_t offset, size_t count);

/// Ends the sending direction only, so that the peer reads what is on its way.
void sockets_end_sending(int descriptor);

/// Opens an epoll instance, close-on-exec.
int sockets_epoll(void);

/// Registers a descriptor; `token` comes back with its events.
int sockets_watch(int epoll, int descriptor, uint32_t events, uint64_t token);

/// Opens an eventfd. Watched edge-triggered it need never be read: each wake is an event of its own.
int sockets_wakeup(void);
void sockets_wake(int wakeup);

/// Collects events that are there, or waits so long for the first.
int sockets_collect(int epoll, struct epoll_event *events, int capacity, int milliseconds);
