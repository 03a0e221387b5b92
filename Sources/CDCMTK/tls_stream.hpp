#pragma once

#include "association_stream.hpp"
#include "tls.h"

#include <memory>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

struct cdcmtk_tls {
    SSL_CTX *context;
};

namespace dicom {

/// A TLS session over a TCP socket, which it owns.
class TLSStream final : public ByteStream {
  public:
    /// - Parameter host: of the server that a client asked for; null at a server's side.
    TLSStream(int descriptor, const cdcmtk_tls &tls, const char *host);
    ~TLSStream() override;

    /// Verifies the peer as the context demands it.
    bool shakeHands(Instant deadline) override;

    ssize_t read(void *buffer, size_t length, Instant deadline) override;
    bool write(const void *bytes, size_t length, Instant deadline) override;
    bool waitReadable(Instant deadline) override;
    bool finishSending(Instant deadline) override;
    void finish() override;
    int descriptor() const override { return socket; }

  private:
    bool waitFor(int result, Instant deadline);

    int socket;
    SSL *session;
    const bool isClient;
};

} // namespace dicom
