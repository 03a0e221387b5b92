#pragma once

#include "association.h"

#ifdef __cplusplus
extern "C" {
#endif

// TLS below an association: TLS 1.2 with the cipher suites of BCP 195, and TLS 1.3 (PS3.15 annex B.12, the
// non-downgrading profile).

// A `cdcmtk_tls` holds certificates and keys as they were when it was made; any number of streams share it.

typedef enum cdcmtk_tls_problem {
    CDCMTK_TLS_OK = 0,
    /// The chain is not there or no certificate.
    CDCMTK_TLS_CERTIFICATE,
    /// The key is not there, is encrypted, or is not the certificate's.
    CDCMTK_TLS_KEY,
    /// The authorities are not there or hold no certificate.
    CDCMTK_TLS_AUTHORITIES,
    CDCMTK_TLS_MEMORY,
} cdcmtk_tls_problem;

/// Paths of PEM files; `certificate_chain` and `private_key` may be null for a client without a certificate.
typedef struct {
    const char *certificate_chain;
    const char *private_key;
    const char *authorities;
    bool is_server;
    /// A server's: whether a peer without a certificate that an authority signed is turned away.
    bool requires_peer_certificate;
} cdcmtk_tls_files;

cdcmtk_tls_problem cdcmtk_tls_create(const cdcmtk_tls_files *files, cdcmtk_tls **tls);
void cdcmtk_tls_release(cdcmtk_tls *tls);

/// Takes over a connected socket as the server's side.
cdcmtk_stream *cdcmtk_stream_open_tls(int descriptor, cdcmtk_tls *tls);
/// Takes over a connected socket as the client's side; the certificate has to be of `host`.
cdcmtk_stream *cdcmtk_stream_connect_tls(int descriptor, const cdcmtk_tls *tls, const char *host);
/// Has to come before the first byte; whether the peer may go on.
bool cdcmtk_stream_shake_hands(cdcmtk_stream *stream, int32_t milliseconds);

#ifdef __cplusplus
}
#endif
