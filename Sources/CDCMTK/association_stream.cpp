#include "association_stream.hpp"
#include "association.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <new>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dicom {

SocketStream::SocketStream(int descriptor) : socket(descriptor) {
    // Without this every C-STORE response waits for the peer's delayed acknowledgement: 45 ms per object.
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::fcntl(socket, F_SETFD, FD_CLOEXEC);
}

SocketStream::~SocketStream() { ::close(socket); }

ssize_t SocketStream::read(void *buffer, size_t length, Instant deadline) {
    while (true) {
        const ssize_t count = ::recv(socket, buffer, length, MSG_DONTWAIT);
        if (count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
            return count;
        // A peer that leaves Nagle's algorithm on holds back the rest of its message until what it has sent is
        // acknowledged, and the kernel acknowledges late: 40 ms per object. It forgets this wish with every answer.
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
        if (!wait(POLLIN, deadline))
            return -1;
    }
}

bool SocketStream::write(const void *bytes, size_t length, Instant deadline) {
    auto next = static_cast<const char *>(bytes);
    while (length > 0) {
        const ssize_t count = ::send(socket, next, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            next += count;
            length -= static_cast<size_t>(count);
        } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return false;
        } else if (!wait(POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

bool SocketStream::waitReadable(Instant deadline) { return wait(POLLIN, deadline); }

bool SocketStream::finishSending(Instant deadline) {
    ::shutdown(socket, SHUT_WR);
    char dropped[4096];
    ssize_t count = 1;
    while (count > 0)
        count = read(dropped, sizeof(dropped), deadline);
    return count == 0;
}

void SocketStream::finish() { ::shutdown(socket, SHUT_RDWR); }

bool SocketStream::wait(short events, Instant deadline) {
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd entry{socket, events, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(std::clamp<long long>(left, 0, 1 << 30)));
        if (ready > 0)
            return true;
        if (ready == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        if (errno != EINTR)
            return false;
    }
}

namespace {

ByteStream *stream(cdcmtk_stream *opaque) { return reinterpret_cast<ByteStream *>(opaque); }

} // namespace
} // namespace dicom

using namespace dicom;

const int cdcmtk_uncached = O_DIRECT;

int cdcmtk_stream_accept(int listening, struct sockaddr *address, socklen_t *address_length) {
    return ::accept4(listening, address, address_length, SOCK_CLOEXEC);
}

cdcmtk_stream *cdcmtk_stream_open(int descriptor) {
    return reinterpret_cast<cdcmtk_stream *>(static_cast<ByteStream *>(new (std::nothrow) SocketStream(descriptor)));
}

ssize_t cdcmtk_stream_read(cdcmtk_stream *opaque, void *buffer, size_t length, int32_t milliseconds) {
    return stream(opaque)->read(buffer, length, after(milliseconds));
}

bool cdcmtk_stream_write(cdcmtk_stream *opaque, const void *bytes, size_t length, int32_t milliseconds) {
    return stream(opaque)->write(bytes, length, after(milliseconds));
}

void cdcmtk_stream_await_end(cdcmtk_stream *opaque, int32_t milliseconds) {
    const Instant deadline = after(milliseconds);
    ::shutdown(stream(opaque)->descriptor(), SHUT_WR);
    char dropped[4096];
    while (Clock::now() < deadline && stream(opaque)->read(dropped, sizeof(dropped), deadline) > 0) {
    }
}

bool cdcmtk_stream_finish_sending(cdcmtk_stream *opaque, int32_t milliseconds) {
    return stream(opaque)->finishSending(after(milliseconds));
}

void cdcmtk_stream_close(cdcmtk_stream *opaque) { delete stream(opaque); }
