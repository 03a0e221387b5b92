#pragma once

#include <chrono>
#include <cstddef>
#include <sys/types.h>

namespace dicom {

using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

inline Instant after(int milliseconds) { return Clock::now() + std::chrono::milliseconds(milliseconds); }

/// Bytes to and from one peer, every call with a deadline. A TLS session is another subclass.
class ByteStream {
  public:
    ByteStream() = default;
    ByteStream(const ByteStream &) = delete;
    ByteStream &operator=(const ByteStream &) = delete;
    virtual ~ByteStream() = default;

    /// What has to be agreed on before the first byte; nothing on a plain socket.
    virtual bool shakeHands(Instant) { return true; }
    /// Bytes read (at least one), 0 at the end, -1 on failure with errno, ETIMEDOUT for the deadline.
    virtual ssize_t read(void *buffer, size_t length, Instant deadline) = 0;
    virtual bool write(const void *bytes, size_t length, Instant deadline) = 0;
    virtual bool waitReadable(Instant deadline) = 0;
    /// Says that nothing more is sent and waits until the peer has taken everything and closed; false when it broke off.
    virtual bool finishSending(Instant deadline) = 0;
    /// Ends the conversation; the descriptor stays open until destruction, so that its number is not reused early.
    virtual void finish() = 0;
    virtual int descriptor() const = 0;
};

/// A plain TCP socket, which it owns.
class SocketStream final : public ByteStream {
  public:
    explicit SocketStream(int descriptor);
    ~SocketStream() override;

    ssize_t read(void *buffer, size_t length, Instant deadline) override;
    bool write(const void *bytes, size_t length, Instant deadline) override;
    bool waitReadable(Instant deadline) override;
    bool finishSending(Instant deadline) override;
    void finish() override;
    int descriptor() const override { return socket; }

  private:
    bool wait(short events, Instant deadline);

    int socket;
};

} // namespace dicom
